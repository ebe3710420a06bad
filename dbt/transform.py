"""Runs dbt on what is new, and accounts for the run in the ledger. What CodeBuild runs; see buildspec.yml.

One process, since importing dbt is most of a small run. Exit status 0: the marts are as new as the ledger was when this
began, or another transform runs that will make them so. 1: failed; the output says at what. 143: stopped.

For a build that a person starts: DBT_FULL_REFRESH=true builds everything from the first row, TRANSFORM_VARS are dbt's --vars.
"""

import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

try:
    import psycopg2
    from dbt_common.exceptions import DbtBaseException

    import errors
    import reports
    from console import say
    from ledger import AnotherRuns, Ledger, Unreachable
    from runner import Dbt, Node, clean_file, results_in, tell_freshness
    from selection import Selection, project_mark, schema_of, select
except ImportError as missing:
    sys.exit(
        f"Transform failed: {missing}. Install dbt's packages: sh install.sh packages, and set PYTHONPATH=packages."
    )

# A server that restarts is back in that time or not soon; a second attempt at once would meet the same fault.
RETRY_PAUSE_SECONDS = float(os.environ.get("RETRY_PAUSE_SECONDS", "15"))
STOPS = (signal.SIGTERM, signal.SIGINT)
# As many as somebody reads.
MOST_FAILURES = 50


class Transform:
    """One run, from the lock to the summary."""

    def __init__(self, execution: str | None, build: str | None, interval_minutes: int) -> None:
        self.dbt = Dbt()
        self.selection = Selection([], [])
        self.nodes: list[Node] = []
        self.failures: list[dict[str, Any]] = []
        self.error: str | None = None
        self.summary = {"stage": os.environ.get("SLUICE_STAGE", "local"), "execution": execution, "build": build}
        self.started = time.monotonic()
        reports.clear(self.dbt.target)
        self.ledger: Ledger | None = None
        self.claim = (execution, build, interval_minutes)

    def run(self) -> int:
        """Does it all; whatever happens, the ledger and the summary are told."""
        outcome, status = "failed", 1
        try:
            self.ledger = Ledger(*self.claim)
            self.ledger.begin()
            if self.work(self.ledger):
                outcome, status = "succeeded", 0
            else:
                self.ledger.fail("failed", self.selection.sources, self.built, self.failures)
        except AnotherRuns as another:
            say(f"Nothing to do here: {another}.")
            outcome, status = "another runs", 0
        except KeyboardInterrupt:
            outcome, status = "lost", 143
            self.give_up("lost", "stopped from outside; the next transform does the work")
        except Unreachable as unreachable:
            self.give_up(
                "failed", f"{unreachable}. Look whether it is up, and whether its secret was rotated; then redrive"
            )
        except psycopg2.Error as error:
            self.give_up("failed", f"the ledger: {errors.of_driver(error)}")
        except DbtBaseException as error:
            self.give_up("failed", errors.scrub(str(error)))
        except Exception as error:
            say("".join(traceback.format_tb(error.__traceback__)).rstrip())
            self.give_up("failed", f"{type(error).__name__}: {errors.scrub(str(error))}")
        self.report(outcome)
        return status

    def work(self, ledger: Ledger) -> bool:
        """Builds what is to be built. False when something failed."""
        manifest = self.dbt.parse()
        tell_freshness(self.dbt)
        project, schema = project_mark(Path.cwd()), schema_of(manifest)
        self.selection = select(ledger, manifest, project)
        if self.selection.selectors == []:
            say("Nothing is new since the last transform that succeeded, and nothing is missing: nothing to build.")
        else:
            for why in self.selection.why:
                say(f"Building {why}.")
            if self.selection.selectors is None and schema is not None:
                ledger.forget_project(schema)
            if not self.build(ledger):
                return False
            self.document()
        ledger.succeed(self.selection.sources, self.built, schema, project)
        return True

    def build(self, ledger: Ledger) -> bool:
        # unit tests are for development
        command = ["build", "--exclude-resource-type", "unit_test", *self.selection.args()]
        self.nodes, crash = self.dbt.build(*command)
        if self.is_worth_retrying(crash):
            say(f"The connection to the database broke. Trying again once, in {RETRY_PAUSE_SECONDS:g} s ...")
            time.sleep(RETRY_PAUSE_SECONDS)
            ledger.hold()
            before = results_in(self.dbt.results_file())
            again, crash = self.dbt.build(*(["retry"] if self.nodes else command))
            done = {node.id for node in again}
            self.nodes = [node for node in self.nodes if node.id not in done] + again
            clean_file(self.dbt.results_file(), before)
        clean_file(self.dbt.results_file())
        self.failures = [node.failure() for node in self.nodes if node.is_failed][:MOST_FAILURES]
        if crash is not None and not self.failures:
            self.fail("dbt build", errors.scrub(str(crash)))
        return not self.failures

    def is_worth_retrying(self, crash: BaseException | None) -> bool:
        messages = [node.message for node in self.nodes if node.is_failed] or ([str(crash)] if crash else [])
        return bool(messages) and all(errors.is_connection(message) for message in messages)

    def document(self) -> None:
        """Writes the documentation. It is no part of the marts, so its failure is told and no more."""
        results = self.dbt.results_file()
        kept = results.read_bytes() if results.exists() else None
        answer = self.dbt.invoke("docs", "generate", "--static")
        if kept is not None:
            results.write_bytes(kept)  # docs generate writes its own over it
        if not answer.success:
            say(f"The documentation could not be made: {errors.scrub(str(answer.exception or 'dbt did not say why'))}")

    def fail(self, name: str, message: str) -> None:
        self.error = message
        self.failures.append({"name": name, "kind": "other", "status": "error", "rows": None})

    def give_up(self, outcome: str, message: str) -> None:
        self.fail("transform", message)
        say(f"Transform {outcome}: {message}.")
        if self.ledger is None or self.ledger.run_id is None:
            return
        try:
            self.ledger.fail(outcome, self.selection.sources, self.built, self.failures)
        except (AnotherRuns, Unreachable, psycopg2.Error):
            say("The ledger could not be told; the next transform marks this one as lost.")

    @property
    def built(self) -> int:
        return sum(node.status in ("success", "pass") for node in self.nodes)

    def report(self, outcome: str) -> None:
        clean_file(self.dbt.results_file())
        clean_file(self.dbt.target / "sources.json")
        skipped = sum(node.status == "skipped" for node in self.nodes)
        seconds = round(time.monotonic() - self.started, 1)
        counts = {"nodes": self.built, "skipped": skipped, "seconds": seconds}
        details = {"sources": self.selection.sources, "failures": self.failures, "error": self.error}
        reports.write(
            self.dbt.target, {**self.summary, "outcome": outcome, **counts, **details}, self.nodes, self.error
        )
        say(
            f"Transform: {outcome} in {seconds} s. {self.built} models built and tests passed,"
            f" {len(self.failures)} failed, {skipped} skipped."
        )
        if outcome == "failed" and self.nodes:
            say(
                "Mend what failed. Redriving the execution builds it, and all that was skipped, at once; otherwise the next"
            )
            say("transform does, an interval from now at most.")


def main() -> int:
    execution = os.environ.get("TRANSFORM_EXECUTION_ARN", "").rsplit(":", 1)[-1] or None
    interval = int(os.environ.get("TRANSFORM_INTERVAL_MINUTES", "15"))
    transform = Transform(execution, os.environ.get("CODEBUILD_BUILD_ID") or None, interval)

    def stop(_signal: int, _frame: object) -> None:
        for each in STOPS:
            signal.signal(each, signal.SIG_IGN)
        transform.dbt.is_stopped = True
        # dbt knows this one: it cancels its queries
        raise KeyboardInterrupt

    for each in STOPS:
        signal.signal(each, stop)
    return transform.run()


if __name__ == "__main__":
    sys.exit(main())
