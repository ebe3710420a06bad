"""What the transform leaves behind: JUnit XML for CodeBuild, the artifacts of the build, a summary for notify.py."""

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from runner import Node

SUMMARY = "transform.json"
# Uploaded from a folder of their own, since some are missing when nothing was built, and CodeBuild fails a build for a
# file that it was told to upload and does not find.
ARTIFACTS = ("manifest.json", "run_results.json", "sources.json", "static_index.html", "junit.xml", SUMMARY)
NOT_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32)])


def clear(target: Path) -> None:
    """Removes what a run before left, so that nobody takes it for this one's."""
    for name in ARTIFACTS:
        (target / name).unlink(missing_ok=True)
    shutil.rmtree(target / "artifacts", ignore_errors=True)


def write(target: Path, summary: dict[str, Any], nodes: list[Node], error: str | None) -> None:
    target.mkdir(parents=True, exist_ok=True)
    (target / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n")
    junit(nodes, error).write(target / "junit.xml", encoding="utf-8", xml_declaration=True)
    (target / "artifacts").mkdir(exist_ok=True)
    for name in ARTIFACTS:
        if (target / name).exists():
            shutil.copy(target / name, target / "artifacts" / name)


def junit(nodes: list[Node], error: str | None) -> ElementTree.ElementTree:
    """A test case per node, and one for the run itself: a report without a case is refused."""
    own = Node("", "transform", "run", "error" if error else "success", 0.0, None, error or "")
    cases = [own, *nodes]
    suite = ElementTree.Element(
        "testsuite",
        name="dbt",
        tests=str(len(cases)),
        failures=str(sum(node.is_failed for node in cases)),
        skipped=str(sum(node.status == "skipped" for node in cases)),
        time=f"{sum(node.seconds for node in cases):.3f}",
    )
    for node in cases:
        about = {"classname": f"dbt.{node.kind}", "name": node.name, "time": f"{node.seconds:.3f}"}
        case = ElementTree.SubElement(suite, "testcase", about)
        if node.is_failed:
            text = node.message.translate(NOT_XML)
            ElementTree.SubElement(case, "failure", type=node.status, message=text).text = text
        elif node.status == "skipped":
            ElementTree.SubElement(case, "skipped")
    return ElementTree.ElementTree(suite)
