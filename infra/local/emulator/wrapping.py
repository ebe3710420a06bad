"""How an override takes hold of a ministack function: by name, and loudly when ministack has changed under it."""

import functools
import importlib.metadata
import inspect
from typing import Any, Callable

VERSION = "1.5.33"


class OverrideDoesNotFit(SystemExit):
    """ministack is not what an override was written for. Ends the start with this message."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The emulator's overrides do not fit the installed ministack: {what}. They were written for {VERSION}. "
            "Install that version (node infra/local/setup.mjs), or look in infra/local/emulator/ whether the override "
            "is still needed, adapt it and run the tests in test/local-cloud/."
        )


def require_version() -> None:
    installed = importlib.metadata.version("ministack")
    if installed != VERSION:
        raise OverrideDoesNotFit(f"its version is {installed}")


def require(owner: Any, name: str, *parameters: str) -> Callable[..., Any]:
    """The function `owner.name`, which must take at least these parameters, in this order."""
    where = f"{getattr(owner, '__name__', owner)}.{name}"
    function = getattr(owner, name, None)
    if not callable(function):
        raise OverrideDoesNotFit(f"{where} does not exist")
    found = list(inspect.signature(function).parameters)
    if found[: len(parameters)] != list(parameters):
        raise OverrideDoesNotFit(f"{where} takes {found}, not {list(parameters)}")
    return function


def wrap(owner: Any, name: str, *parameters: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: `owner.name(...)` becomes `decorated(original, ...)`."""
    original = require(owner, name, *parameters)

    def put_in_place(replacement: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            return replacement(original, *arguments, **named)

        setattr(owner, name, wrapped)
        return wrapped

    return put_in_place


def replace_once(text: str, old: str, new: str, where: str) -> str:
    """For the worker script, which ministack keeps as a string."""
    if text.count(old) != 1:
        raise OverrideDoesNotFit(f"{where} has {old!r} {text.count(old)} times, not once")
    return text.replace(old, new)
