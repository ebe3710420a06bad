"""What the transform says while it works, one line at a time."""

import sys


def say(line: str) -> None:
    # One write: dbt's threads would come between a line and its end.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def rows_of(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
