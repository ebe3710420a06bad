"""CodeBuild: which files a buildspec means.

AWS: patterns relative to a folder; `**/*` is everything below, hidden files included.
Not restored: paths outside of the folder. On this machine they would be its owner's files.
"""

import os
import pathlib
from typing import Callable

# Writes a line to the build's log.
Say = Callable[[str], None]


def matching(folder: str, pattern: str) -> "list[str]":
    """Files and links, not folders, relative to the folder."""
    pure = pathlib.PurePosixPath(pattern)
    if not pure.parts or is_outside(pattern):
        return []
    root = tree_of(pattern)
    if root is not None:
        return files_below(folder, root)
    pattern = str(pure / "*") if pure.name == "**" else str(pure)
    found = pathlib.Path(folder).glob(pattern)
    return [str(path.relative_to(folder)) for path in found if path.is_symlink() or not path.is_dir()]


def is_outside(pattern: str) -> bool:
    pure = pathlib.PurePosixPath(pattern)
    return pure.is_absolute() or ".." in pure.parts or pattern.startswith("~")


def tree_of(pattern: str) -> "str | None":
    """`packages` of `packages/**/*`, `.` of `**/*`; None of a pattern that means anything but all below a folder."""
    parts = pathlib.PurePosixPath(pattern).parts
    end = 2 if parts[-2:] == ("**", "*") else 1 if parts[-1:] == ("**",) else 0
    plain = parts[: len(parts) - end]
    if end == 0 or is_outside(pattern) or any(character in part for part in plain for character in "*?["):
        return None
    return "/".join(plain) or "."


def files_below(folder: str, root: str) -> "list[str]":
    """A tenth of the time that a pattern takes."""
    start = os.path.normpath(os.path.join(folder, root))
    found = []
    for place, folders, files in os.walk(start):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        found += [os.path.relpath(os.path.join(place, name), folder) for name in links]
        prefix = "" if place == folder else f"{os.path.relpath(place, folder)}/"
        found += [f"{prefix}{name}" for name in files]
    return found
