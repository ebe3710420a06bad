"""What may be said of an error: never a row.

PostgreSQL's messages carry values of rows, as in `invalid input syntax for type integer: "<value>"` and in DETAIL, and dbt
hands them on to its log, to run_results.json and to whoever reads those. Here they are cut at the source, where dbt turns
the driver's error into its own, and once more before anything is written. The SQLSTATE, which dbt drops, is kept.
"""

import contextlib
import re
from collections.abc import Iterator

import psycopg2
from dbt.adapters.postgres.connections import PostgresConnectionManager
from dbt_common.exceptions import DbtDatabaseError

# What stands below the first line of a message: excerpts of rows and statements.
EXTRAS = re.compile(r"^\s*(DETAIL|CONTEXT|HINT|LINE|QUERY|WHERE|STATEMENT|compiled code at)\b")
# Said when the connection broke, which mostly comes without a SQLSTATE. Also how such a failure is known later.
LOST = "connection lost"
CONNECTION = re.compile(
    rf"{LOST}|SQLSTATE (08|57P0)|server closed the connection|connection to server|could not connect|"
    r"connection (already closed|refused|timed out|reset)|terminating connection|could not (receive|send) data|"
    r"SSL (connection|SYSCALL)|the database system is (starting|shutting|in recovery)|could not translate host name",
    re.IGNORECASE,
)


def of_driver(error: psycopg2.Error) -> str:
    """The first line of the driver's message without values, and the SQLSTATE."""
    code = error.pgcode or ""
    lines = str(error).strip().splitlines()
    text = cut(lines[0]) if lines else type(error).__name__
    if code.startswith("22"):  # data exceptions: `value "<value>" is out of range`, `invalid ...: <value>`
        # from the first quote to the last: a value may hold quotes, and line ends
        is_whole = len(lines) == 1 or EXTRAS.match(lines[1])
        text = re.sub(r'".*"' if is_whole else r'".*', '"..."', text.split(": ", 1)[0])
    elif code.startswith("P0"):  # raised by somebody's function, with whatever it put in
        text = "raised by a function"
    if code:
        return f"{text} (SQLSTATE {code})"
    is_broken = isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError))
    return f"{text} ({LOST})" if is_broken else text


def cut(line: str) -> str:
    """A line up to the value that it quotes after a colon."""
    return line.split(': "', 1)[0].strip()


def scrub(message: str | None) -> str:
    """One of dbt's messages in one line: `Database Error in model x (models/x.sql): division by zero (SQLSTATE 22012)`."""
    kept: list[str] = []
    for line in (message or "").strip().splitlines():
        if EXTRAS.match(line) or len(kept) == 2:
            break
        if line.strip():
            kept.append(cut(line))
    return ": ".join(kept)


def is_connection(message: str | None) -> bool:
    """Whether a failure looks like one of the connection, so that doing it again may help."""
    return CONNECTION.search(message or "") is not None


def keep_rows_out_of_dbt() -> None:
    """Wraps the one place where dbt turns an error of the driver into its own."""
    original = PostgresConnectionManager.exception_handler

    @contextlib.contextmanager
    def handler(self: PostgresConnectionManager, sql: str) -> Iterator[None]:
        try:
            with original(self, sql):
                yield
        except Exception as error:
            cause = error.__cause__ if isinstance(error.__cause__, psycopg2.Error) else error
            if not isinstance(cause, psycopg2.Error):
                raise
            raise DbtDatabaseError(of_driver(cause)) from None

    PostgresConnectionManager.exception_handler = handler
