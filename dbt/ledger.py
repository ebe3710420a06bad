"""What the transform asks of the ledger and writes into it: its run, its lease, and what is new.

The connection stays open as long as the transform runs, since it holds the lock that keeps a second transform out.
"""

import json
import os
import time

import psycopg2
from psycopg2 import sql

import errors
from console import say

# Any fixed number does: whoever transforms holds the advisory lock of this name.
TRANSFORM_LOCK = 7_583_002
# Longer than a failover of Aurora, which takes half a minute. Less gives up on one, more only delays the message.
WAIT_SECONDS = float(os.environ.get("DATABASE_WAIT_SECONDS", "60"))
PAUSE_SECONDS = 5.0
# A lock of a machine that vanished is freed in a minute, and no balancer takes a quiet connection for a dead one.
KEEPALIVES = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
BROKEN = (psycopg2.OperationalError, psycopg2.InterfaceError)


class AnotherRuns(Exception):
    """Another transform holds the lock."""


class Unreachable(Exception):
    """The database could not be reached in time."""


class Ledger:
    """One run of the transform, as the ledger knows it."""

    def __init__(self, execution: str | None, build: str | None, interval_minutes: int) -> None:
        self.execution, self.build, self.interval = execution, build, interval_minutes
        self.run_id: int | None = None
        self.connection = connect()
        self.lock()

    def lock(self) -> None:
        """Takes the lock, or raises AnotherRuns."""
        if self.rows("select pg_try_advisory_lock(%s)", TRANSFORM_LOCK)[0][0]:
            return
        since = self.rows(
            "select date_trunc('second', max(started_at) at time zone 'UTC') from ingest.transforms where ended_at is null"
        )[0][0]
        raise AnotherRuns(f"another transform is running{f' since {since} UTC' if since else ''}")

    def begin(self) -> None:
        """Enters this run. Runs without an end were killed, since the lock is ours."""
        lost = self.rows(
            "update ingest.transforms set outcome = 'lost', ended_at = now() where ended_at is null returning id"
        )
        if lost:
            say(f"Marked {len(lost)} run(s) as lost that were killed before this one.")
        # The row is written before anything is read: its default for read_below is this moment.
        self.run_id = self.rows(
            """
            update ingest.transform_lease set held_by = %s, held_until = now() + make_interval(mins => %s);
            insert into ingest.transforms (execution_name, build_id) values (%s, %s) returning id
            """,
            self.execution or "by hand",
            self.interval,
            self.execution,
            self.build,
        )[0][0]

    def last_success(self) -> str | None:
        """`read_below` of the last run that succeeded; None when there is none, or only from a server whose
        transactions were counted otherwise, as after a dump was restored."""
        found = self.rows(
            """
            select read_below::text from ingest.transforms
            where outcome = 'succeeded' and read_below <= pg_snapshot_xmax(pg_current_snapshot())
            order by id desc limit 1
            """
        )
        return found[0][0] if found else None

    def changed_since(self, read_below: str) -> dict[str | None, int]:
        """Sources, and None for files of no source, with how many of their files changed since. By transaction: a
        timestamp would miss a transaction that began earlier and was committed later."""
        return dict(
            self.rows(
                "select source, count(*) from ingest.files where changed_xid >= %s::xid8 group by source", read_below
            )
        )

    def missing(self, relations: list[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these relations (schema, name) do not exist."""
        schemas, names = [schema for schema, _ in relations], [name for _, name in relations]
        return set(
            self.rows(
                """
                select schema, name from unnest(%s::text[], %s::text[]) as wanted (schema, name)
                where to_regclass(quote_ident(schema) || '.' || quote_ident(name)) is null
                """,
                schemas,
                names,
            )
        )

    def without_watermark(self, models: set[str]) -> set[str]:
        """Which of these do not know how far they have read, so that they read everything when they are built."""
        known = self.rows("select model from ingest.transform_watermarks")
        return models - {model for (model,) in known}

    def project_built(self, schema: str) -> str | None:
        """The mark of the project that was last built whole: a comment on one of its schemas."""
        return self.rows("select obj_description(to_regnamespace(quote_ident(%s)), 'pg_namespace')", schema)[0][0]

    def forget_project(self, schema: str) -> None:
        """Removes the mark, before relations are built that may not fit together should the run fail."""
        if self.rows("select to_regnamespace(quote_ident(%s)) is not null", schema)[0][0]:
            self.rows(sql.SQL("comment on schema {} is null").format(sql.Identifier(schema)))

    def succeed(self, sources: list[str], nodes: int, schema: str | None, project: str) -> None:
        """Ends the run and gives the lease back."""
        mark = sql.SQL("")
        if schema is not None:
            mark = sql.SQL("comment on schema {} is {};").format(sql.Identifier(schema), sql.Literal(project))
        self.end(
            mark
            + sql.SQL("""
            update ingest.transform_lease set held_by = null, held_until = null, succeeded_at = now();
            update ingest.transforms set outcome = 'succeeded', ended_at = now(), sources = %s, nodes = %s
            where id = %s and ended_at is null returning id
            """),
            sources,
            nodes,
            self.run_id,
        )

    def fail(self, outcome: str, sources: list[str], nodes: int, failures: list[dict]) -> None:
        """Ends the run. The lease stays held until its time: what is broken is tried once an interval."""
        self.end(
            """
            update ingest.transforms set outcome = %s, ended_at = now(), sources = %s, nodes = %s, failures = %s
            where id = %s and ended_at is null returning id
            """,
            outcome,
            sources,
            nodes,
            json.dumps(failures),
            self.run_id,
        )

    def end(self, statement: "str | sql.Composable", *values: object) -> None:
        self.hold()
        if not self.rows(statement, *values):
            raise AnotherRuns("this run was marked as lost, since another transform had begun")

    def hold(self) -> None:
        """Makes sure of the connection and its lock."""
        try:
            self.rows("select")
        except BROKEN as error:
            say(f"The connection to the ledger broke: {errors.of_driver(error)}. Connecting again ...")
            self.connection = connect()
            self.lock()

    def rows(self, statement: "str | sql.Composable", *values: object) -> list[tuple]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)  # several statements in one text are one transaction
            return cursor.fetchall() if cursor.description else []


def connect() -> "psycopg2.extensions.connection":
    """Connects by the PG* variables; tries again for a minute, as while the database fails over or wakes up."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection = psycopg2.connect(application_name="sluice-transform", connect_timeout=10, **KEEPALIVES)
            connection.autocommit = True
            return connection
        except psycopg2.OperationalError as error:
            left = deadline - time.monotonic()
            reason = errors.cut(str(error).strip().splitlines()[0])
            if left <= 0:
                raise Unreachable(f"the database could not be reached within {WAIT_SECONDS:.0f} s: {reason}") from None
            say(f"No connection yet: {reason}. Trying for another {left:.0f} s ...")
            time.sleep(min(PAUSE_SECONDS, max(left, 0.1)))
