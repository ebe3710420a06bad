"""Runs dbt's commands within this process, where importing dbt is paid for once, and says a line per node."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt_common.events.base_types import EventMsg

import errors
from console import rows_of, say

# A quiet minute looks like a hang.
STILL_RUNNING_SECONDS = 30.0
FAILED = ("error", "fail", "runtime error", "partial success")

# dbt's own lines, on the console and in its file, carry the driver's messages. What is worth saying is said here.
SETTINGS = {"LOG_LEVEL": "none", "LOG_LEVEL_FILE": "none", "PRINT": "false", "SEND_ANONYMOUS_USAGE_STATS": "false"}

# What a killed build had asked for would run on, and the next one would wait for its locks.
NO_ORPHANS = "-c client_connection_check_interval=5s"


@dataclass
class Node:
    """How a model, a test or another node of dbt ended, in words that may be shown."""

    id: str
    name: str
    kind: str
    status: str
    seconds: float
    rows: int | None
    message: str

    @property
    def is_failed(self) -> bool:
        return self.status in FAILED

    def failure(self) -> dict[str, Any]:
        """As `ingest.transforms.failures` holds it."""
        kind = self.kind if self.kind in ("model", "test") else "other"
        status = self.status if self.status in ("error", "fail") else "error"
        return {"name": self.name, "kind": kind, "status": status, "rows": self.rows if kind == "test" else None}


class Dbt:
    """dbt on the project in the working directory."""

    def __init__(self) -> None:
        for name, value in SETTINGS.items():
            os.environ[f"DBT_{name}"] = value
        self.target = Path(os.environ.setdefault("DBT_TARGET_PATH", "target"))
        os.environ.setdefault("DBT_LOG_PATH", str(self.target))
        os.environ.setdefault("DBT_PROFILES_DIR", ".")
        os.environ.setdefault("PGOPTIONS", NO_ORPHANS)
        errors.keep_rows_out_of_dbt()
        self.manifest: Manifest | None = None
        self.running: dict[str, tuple[str, float]] = {}
        self.is_stopped = False
        self.is_building = False

    def parse(self) -> Manifest:
        """Reads the project. Raises what dbt says is wrong with it."""
        answer = self.invoke("parse")
        if answer.exception is not None:
            raise answer.exception
        assert isinstance(answer.result, Manifest)
        self.manifest = answer.result
        return self.manifest

    def invoke(self, *args: str) -> dbtRunnerResult:
        # dbt retry parses by itself
        manifest = None if args[0] == "retry" else self.manifest
        # The one option of dbt that has no variable of the environment.
        variables = os.environ.get("TRANSFORM_VARS")
        if variables:
            args = (*args, "--vars", variables)
        with self.signs_of_life():
            answer = dbtRunner(manifest=manifest, callbacks=[self.hear]).invoke(list(args))
        if self.is_stopped:
            raise KeyboardInterrupt  # dbt catches it
        return answer

    def build(self, *args: str) -> tuple[list[Node], BaseException | None]:
        """Builds or builds again what failed. What dbt raises, it raises before or beside its nodes."""
        self.is_building = True
        answer = self.invoke(*args)
        self.is_building = False
        results = getattr(answer.result, "results", None) or []
        return [node_of(result) for result in results], answer.exception

    def hear(self, event: EventMsg) -> None:
        """Takes what dbt tells while it works."""
        name = event.info.name
        if name == "NodeStart":
            node = event.data.node_info
            self.running[node.unique_id] = (node.node_name, time.monotonic())
        elif name == "NodeFinished":
            node, result = event.data.node_info, event.data.run_result
            self.running.pop(node.unique_id, None)
            if not self.is_building:
                return
            rows = dict(result.adapter_response).get("rows_affected")
            has_rows = node.resource_type != "test" and rows is not None and rows >= 0
            found = f"{rows_of(result.num_failures)} found" if result.num_failures else ""
            count = rows_of(int(rows)) if has_rows else found
            tell_node(result.status, node.resource_type, node.node_name, result.execution_time, count, result.message)
        elif name == "JinjaLogWarning":  # said by a macro
            say(f"  warning: {errors.scrub(event.info.msg)}")

    @contextmanager
    def signs_of_life(self) -> Iterator[None]:
        over = threading.Event()

        def tell() -> None:
            while not over.wait(STILL_RUNNING_SECONDS):
                now = time.monotonic()
                running = [f"{name} ({now - since:.0f} s)" for name, since in list(self.running.values())]
                if running:
                    say(f"  ... still running: {', '.join(running)}")

        threading.Thread(target=tell, daemon=True).start()
        try:
            yield
        finally:
            over.set()
            self.running.clear()

    def results_file(self) -> Path:
        return self.target / "run_results.json"


def tell_node(status: str, kind: str, name: str, seconds: float, count: str, message: str) -> None:
    say(f"  {status:8} {kind} {name}  {seconds:.1f} s{f', {count}' if count else ''}")
    if status in FAILED:
        say(f"           {errors.scrub(message)}")


def node_of(result: Any) -> Node:
    return Node(
        id=result.node.unique_id,
        name=result.node.name,
        kind=str(result.node.resource_type),
        status=str(result.status),
        seconds=result.execution_time or 0.0,
        rows=result.failures,
        message=errors.scrub(result.message),
    )


def tell_freshness(dbt: Dbt) -> None:
    """Warns of sources whose last file came long ago. That is worth saying and no reason to leave the rest stale."""
    answer = dbt.invoke("source", "freshness")
    if answer.exception is not None:
        say(f"Freshness of the sources could not be asked for: {errors.scrub(str(answer.exception))}")
    for result in getattr(answer.result, "results", None) or []:
        if not hasattr(result.node, "source_name"):
            continue  # a hook of the project, which has results too
        name, status = f"{result.node.source_name}.{result.node.name}", str(result.status)
        if status == "runtime error":
            say(f"  {status}: freshness of {name}: {errors.scrub(result.message)}")
        elif status != "pass":
            is_never = result.max_loaded_at.year == 1  # as dbt puts it
            age = f"the last file came {result.age / 3600:,.1f} h ago"
            say(f"  {status}: {name}: {'no file has come yet' if is_never else age}")


def results_in(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text())["results"] if path.exists() else []


def clean_file(path: Path, before: list[dict[str, Any]] | None = None) -> None:
    """Takes row data out of a file of results. `before`: results of an earlier attempt, kept where this one has none."""
    if not path.exists():
        return
    content = json.loads(path.read_text())
    seen = {result["unique_id"] for result in content["results"]}
    content["results"] = [old for old in before or [] if old["unique_id"] not in seen] + content["results"]
    for result in content["results"]:
        for field in ("message", "error"):
            if isinstance(result.get(field), str):
                result[field] = errors.scrub(result[field])
    path.write_text(json.dumps(content))
