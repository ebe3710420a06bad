"""CodeBuild: test reports of builds.

AWS: the result files that the buildspec's `reports` name become a report of a report group, `<project>-<name>` if the buildspec
gives no ARN of one, with its counts and its test cases. A report of failed tests does not fail the build. Without files there
is no report.
ministack 1.5.33: knows no reports.
Override: reports of JUnit XML, and the actions that tell of them.
Not restored: other formats, coverage, export to S3, trends.
"""

import json
import time
import uuid
from xml.etree import ElementTree

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region, json_response
from ministack.services import codebuild

import build_spec
import wrapping
from build_files import Say, matching

# By their ARNs.
groups = AccountRegionScopedDict()
reports = AccountRegionScopedDict()
cases_of = AccountRegionScopedDict()
# What a test case has inside says how it ended.
ENDS = {"failure": "FAILED", "error": "ERROR", "skipped": "SKIPPED"}


def upload(build: dict, wanted: "dict[str, dict]", source: str, say: Say) -> "list[str]":
    """ARNs of the reports."""
    return list(filter(None, (report(build, name, fields, source, say) for name, fields in wanted.items())))


def report(build: dict, name: str, fields: dict, source: str, say: Say) -> "str | None":
    say(f"Preparing to copy report {name}")
    if fields.get("file-format", "JUNITXML") != "JUNITXML":
        say(f"Reports of {fields['file-format']} are not made on this machine")
        return None
    base = f"{source}/{fields.get('base-directory') or '.'}"
    patterns = build_spec.texts(fields.get("files"), "Files")
    paths = sorted({path for pattern in patterns for path in matching(base, pattern)})
    if not paths:
        say(f"No matching report files found for {name}")
        return None
    cases = []
    for path in paths:
        try:
            cases += [case for suite in ElementTree.parse(f"{base}/{path}").iter("testsuite") for case in cases_in(suite, path)]
        except ElementTree.ParseError as error:
            say(f"Report file {path} cannot be read: {error}")
    group = name if name.startswith("arn:") else ensure_group(f"{build['projectName']}-{name}", "TEST")
    arn = f"{group.replace(':report-group/', ':report/')}:{uuid.uuid4()}"
    counts = {status: 0 for status in ("SUCCEEDED", "FAILED", "ERROR", "SKIPPED", "UNKNOWN")}
    for case in cases:
        counts[case["status"]] += 1
    reports[arn] = {
        "arn": arn,
        "type": "TEST",
        "name": arn.rpartition("/")[2],
        "reportGroupArn": group,
        "executionId": build["arn"],
        "status": "FAILED" if counts["FAILED"] + counts["ERROR"] else "SUCCEEDED",
        "created": round(time.time(), 3),
        "truncated": False,
        "testSummary": {
            "total": len(cases),
            "statusCounts": counts,
            "durationInNanoSeconds": sum(case["durationInNanoSeconds"] for case in cases),
        },
    }
    cases_of[arn] = [{**case, "reportArn": arn} for case in cases]
    return arn


def cases_in(suite: ElementTree.Element, path: str):
    for case in suite.findall("testcase"):
        end = next((child for child in case if child.tag in ENDS), None)
        yield {
            "testRawDataPath": path,
            "prefix": case.get("classname", ""),
            "name": case.get("name", ""),
            "testSuiteName": suite.get("name", ""),
            "status": "SUCCEEDED" if end is None else ENDS[end.tag],
            "message": "" if end is None else end.get("message") or (end.text or "").strip(),
            "durationInNanoSeconds": round(float(case.get("time") or 0) * 1_000_000_000),
        }


def ensure_group(name: str, kind: str) -> str:
    arn = f"arn:aws:codebuild:{get_region()}:{get_account_id()}:report-group/{name}"
    now = round(time.time(), 3)
    export = {"exportConfigType": "NO_EXPORT"}
    group = {"arn": arn, "name": name, "type": kind, "status": "ACTIVE", "created": now, "lastModified": now}
    groups.setdefault(arn, {**group, "exportConfig": export})
    return arn


def found(arns: "list[str]", store, what: str) -> dict:
    return {what: [store[arn] for arn in arns if arn in store], f"{what}NotFound": [arn for arn in arns if arn not in store]}


def test_cases(data: dict) -> dict:
    status = (data.get("filter") or {}).get("status")
    cases = cases_of.get(data["reportArn"]) or []
    return {"testCases": [case for case in cases if status in (None, case["status"])]}


ACTIONS = {
    "BatchGetReportGroups": lambda data: found(data.get("reportGroupArns", []), groups, "reportGroups"),
    "BatchGetReports": lambda data: found(data.get("reportArns", []), reports, "reports"),
    "DescribeTestCases": test_cases,
    "ListReportGroups": lambda _data: {"reportGroups": sorted(groups.keys())},
    "ListReportsForReportGroup": lambda data: {
        "reports": [arn for arn, one in reports.items() if one["reportGroupArn"] == data["reportGroupArn"]][::-1]
    },
}


@wrapping.wrap(codebuild, "_handle_request_sync", "method", "path", "headers", "body", "query_params")
def handle(handle_others, method, path, headers, body, query_params):
    action = ACTIONS.get(headers.get("x-amz-target", "").rpartition(".")[2])
    if action is None:
        return handle_others(method, path, headers, body, query_params)
    return json_response(action(json.loads(body or b"{}")))


@wrapping.wrap(codebuild, "reset")
def forget(reset):
    reset()
    for store in (groups, reports, cases_of):
        store.clear()
