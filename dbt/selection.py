"""What is to be built: what depends on sources that have new files, and what is missing.

dbt's own `source_status:fresher` compares timestamps, and a transaction that began earlier may be committed later. The
ledger knows the transaction of each change, so it is asked instead.
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from dbt.contracts.graph.manifest import Manifest

from ledger import Ledger

RELATIONS = ("table", "view", "incremental", "materialized_view", "seed", "snapshot")
# What a project is made of, and what makes its SQL: dbt's own version is in requirements.txt.
PROJECT_SUFFIXES = {".sql", ".yml", ".yaml", ".csv", ".md"}
PROJECT_FILES = {"requirements.txt"}
NOT_PROJECT = {"target", "logs", "packages"}


@dataclass
class Selection:
    """What to build and why."""

    # dbt's selectors; empty: nothing, None: everything
    selectors: list[str] | None
    # Sources of Sluice with new files
    sources: list[str]
    why: list[str] = field(default_factory=list)

    def args(self) -> list[str]:
        return ["--select", *self.selectors] if self.selectors is not None else []


def select(ledger: Ledger, manifest: Manifest, project: str) -> Selection:
    """Asks the ledger and the database what has to be built of a project."""
    named = sorted({name for name in sources_of(manifest).values() if name is not None})
    if os.environ.get("DBT_FULL_REFRESH", "").lower() in ("1", "true", "yes"):
        return Selection(None, named, ["everything, from the first row: DBT_FULL_REFRESH is set"])
    read_below = ledger.last_success()
    if read_below is None:
        return Selection(None, named, ["everything: no transform has succeeded yet"])
    changed = ledger.changed_since(read_below)
    fresher = [name for name in named if name in changed]
    schema = schema_of(manifest)
    if schema is not None and ledger.project_built(schema) != project:
        return Selection(None, fresher, ["everything: the project has changed since it was last built whole"])

    selectors, why = [], []
    for source_id, name in sorted(sources_of(manifest).items()):
        source = manifest.sources[source_id]
        if changed if name is None else name in changed:
            selectors.append(f"source:{source.source_name}.{source.name}+")
    why += [f"what depends on {name}: {changed[name]:,} new or changed file(s)" for name in fresher]
    if changed and None in sources_of(manifest).values():
        why.append("what depends on the ledger as a whole")
    for name, selector, reason in unbuilt(ledger, manifest):
        selectors.append(selector)
        why.append(f"{name}: {reason}")
    return Selection(selectors, fresher, why)


def sources_of(manifest: Manifest) -> dict[str, str | None]:
    """The source of Sluice behind each of dbt's. One that names none is of the ledger: any file may concern it."""
    return {
        source_id: {**source.meta, **source.config.meta}.get("source") for source_id, source in manifest.sources.items()
    }


def unbuilt(ledger: Ledger, manifest: Manifest) -> list[tuple[str, str, str]]:
    """Name, selector and reason of models without their relation, or without the watermark that they keep."""
    nodes = {
        (node.schema, node.alias): node
        for node in manifest.nodes.values()
        if node.config.get("materialized") in RELATIONS and node.resource_type in ("model", "seed", "snapshot")
    }
    keepers = {node.alias for node in nodes.values() if any("watermark" in hook.sql for hook in node.config.post_hook)}
    gone, unmarked = ledger.missing(list(nodes)), ledger.without_watermark(keepers)
    return [
        (node.name, f"fqn:{'.'.join(node.fqn)}+", "it does not exist" if key in gone else "it has no watermark")
        for key, node in sorted(nodes.items())
        if key in gone or node.alias in unmarked
    ]


def schema_of(manifest: Manifest) -> str | None:
    """The schema whose comment tells which project was built. Any that dbt makes does, if it is always the same."""
    return min((node.schema for node in manifest.nodes.values() if node.resource_type == "model"), default=None)


def project_mark(folder: Path) -> str:
    """Changes with every file that decides what is built."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        is_ours = path.suffix in PROJECT_SUFFIXES or path.name in PROJECT_FILES
        if is_ours and parts[0] not in NOT_PROJECT and path.is_file():
            digest.update("/".join(parts).encode() + b"\0" + path.read_bytes() + b"\0")
    return f"Built whole from the project {digest.hexdigest()[:16]} (written by transform.py)"
