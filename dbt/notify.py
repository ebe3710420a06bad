"""Tells the topic of notices that a transform failed: at what, and what to do. Run after a build that failed.

Needs nothing but boto3, which CodeBuild's images bring too: dbt's packages may be what is missing. The build has failed
already, whatever becomes of this.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

# SNS takes no more, and only ASCII.
SUBJECT_LENGTH = 100
MOST_LINES = 20


def summary_of(build: str | None) -> dict[str, Any] | None:
    """What transform.py left; None when it was killed before it could, or never began."""
    path = Path(os.environ.get("DBT_TARGET_PATH", "target"), "transform.json")
    try:
        summary = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return summary if summary.get("build") == build else None


def compose(
    summary: dict[str, Any] | None, stage: str, execution_arn: str | None, build: str | None
) -> tuple[str, str]:
    """Subject and text."""
    failures = summary["failures"] if summary else []
    lines: list[str] = []
    if summary is None:
        where = "its start"
        lines.append("The transform left no results: it was killed, or dbt's packages could not be installed.")
        lines.append("The last lines of the build's log say which.")
    elif summary["outcome"] not in ("failed", "lost"):
        where = "the end of its build"
        lines.append(f"The transform itself ended as: {summary['outcome']}. What failed is the build around it.")
    else:
        where = failures[0]["name"] if failures else "its start"
        if summary["error"]:
            lines.append(f"{summary['error']}.")
        named = [failure for failure in failures if failure["kind"] != "other"]
        if named:
            lines.append("Failed:")
        for failure in named[:MOST_LINES]:
            rows = "" if failure["rows"] is None else f", rows found: {failure['rows']}"
            lines.append(f"  {failure['kind']} {failure['name']}: {failure['status']}{rows}")
        if len(named) > MOST_LINES:
            lines.append(f"  and {len(named) - MOST_LINES} more")
        lines.append(f"Skipped because of them: {summary['skipped']}. Built or passed: {summary['nodes']}.")
    lines += ["", f"Execution: {execution_arn or 'none, it was run by hand'}", f"Build: {build or 'none'}", ""]
    lines += advice(stage, execution_arn)
    subject = f"Sluice {stage}: transform failed at {where}"
    return subject.encode("ascii", "replace").decode()[:SUBJECT_LENGTH], "\n".join(lines)


def advice(stage: str, execution_arn: str | None) -> list[str]:
    where = "" if stage == "local" else f" --stage {stage}"
    if execution_arn is None:
        return ["What was there before is still there. Mend the cause and run it again."]
    name = execution_arn.rsplit(":", 1)[-1]
    return [
        "What was there before is still there. Mend the cause, then run it again:",
        f"  npm run -s sluice -- redrive {name}{where}",
        "or Redrive in the console of Step Functions. Left alone, the next transform tries again, an interval from now.",
    ]


def main() -> int:
    stage = os.environ.get("SLUICE_STAGE", "local")
    execution_arn = os.environ.get("TRANSFORM_EXECUTION_ARN") or None
    build = os.environ.get("CODEBUILD_BUILD_ID") or None
    subject, text = compose(summary_of(build), stage, execution_arn, build)
    topic = os.environ.get("NOTICE_TOPIC_ARN")
    if not topic:
        print(f"No notice is sent, since NOTICE_TOPIC_ARN is not set. It would say: {subject}\n{text}")
        return 0
    try:
        import boto3

        # the region stands in the topic's ARN, wherever this runs
        sns = boto3.client("sns", region_name=topic.split(":")[3])
        sns.publish(TopicArn=topic, Subject=subject, Message=text)
    except Exception as error:
        print(f"The notice could not be sent ({type(error).__name__}). It would say: {subject}\n{text}")
        return 1
    print(f"Sent a notice: {subject}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
