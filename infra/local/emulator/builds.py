"""CodeBuild: StartBuild, StopBuild and what is told about builds.

AWS: StartBuild fails when as many builds run as the project's ConcurrentBuildLimit allows, and answers with the same build
when it gets the same token again; StopBuild ends all processes. The start and the end of a build are events on EventBridge.
ministack 1.5.33: a build is only a record, or runs in Docker; there is no limit, no token and no event.
Override: builds run here (see build_run.py); the limit and the token count; the events are sent.
Not restored: a queue, batches of builds, retries of builds.
"""

import copy
import json
import time
import uuid

from ministack.core.responses import error_response_json, json_response
from ministack.services import codebuild, eventbridge

import build_metrics
import build_record
import wrapping
from build_phases import changing
from build_run import BuildRun

if not isinstance(getattr(codebuild, "EXECUTE_BUILDS", None), bool):
    raise wrapping.OverrideDoesNotFit("codebuild.EXECUTE_BUILDS does not exist")
codebuild.EXECUTE_BUILDS = True
put_events = wrapping.require(eventbridge, "_put_events", "data", "allow_aws_source")

# For so long the same token of the same project is the same build.
TOKEN_SECONDS = 300
# Project and token -> when, and which build.
tokens: "dict[tuple[str, str], tuple[float, dict]]" = {}
# By the id of their build, those that have ended included.
runs: "dict[str, BuildRun]" = {}


@wrapping.wrap(codebuild, "_start_build", "data")
def start_build(start, data):
    project = codebuild._projects.get(codebuild._project_name_from_identifier(data.get("projectName", "")))
    if project is None:
        return start(data)
    with changing:
        token = (project["arn"], data.get("idempotencyToken") or str(uuid.uuid4()))
        if token in tokens and time.monotonic() - tokens[token][0] < TOKEN_SECONDS:
            return json_response({"build": copy.deepcopy(tokens[token][1])})
        limit = project.get("concurrentBuildLimit")
        if limit and running(project["name"]) >= int(limit):
            message = f"Cannot have more than {limit} builds in queue for the account"
            return error_response_json("AccountLimitExceededException", message, 400)
        build_record.request.set(data)
        answer = start({**data, "projectName": project["name"]})
        build = codebuild._builds[json.loads(answer[2])["build"]["id"]]
        runs[build["id"]] = BuildRun(build, tell)
        tokens[token] = (time.monotonic(), build)
        return answer


def running(project_name: str) -> int:
    builds = codebuild._builds.values()
    return sum(b["projectName"] == project_name and b["buildStatus"] == "IN_PROGRESS" for b in builds)


@wrapping.wrap(codebuild, "_execute_build", "build_id", "project")
def execute_build(_execute, build_id, _project):
    """In a thread of its own, with the account and region of the request."""
    with changing:  # until StartBuild has answered
        run = runs.get(build_id)
    if run is not None:
        tell(run.build)
        run.go()
        codebuild.logger.info("Build %s: %s", build_id, run.build["buildStatus"])


@wrapping.wrap(codebuild, "_stop_build", "data")
def stop_build(stop, data):
    run = runs.get(data.get("id", ""))
    if run is None:
        return stop(data)  # which says so
    run.stop()
    run.ended.wait()
    with changing:
        return json_response({"build": copy.deepcopy(run.build)})


@wrapping.wrap(codebuild, "_batch_get_builds", "data")
def batch_get_builds(get, data):
    with changing:
        return get(data)


@wrapping.wrap(codebuild, "reset")
def forget(reset):
    with changing:
        for run in runs.values():
            run.stop()
        runs.clear()
        tokens.clear()
    reset()


def tell(build: dict) -> None:
    build_metrics.count(build)
    tell_eventbridge(build)


def tell_eventbridge(build: dict) -> None:
    with changing:
        detail = {
            "build-status": build["buildStatus"],
            "project-name": build["projectName"],
            "build-id": build["arn"],
            "current-phase": build["currentPhase"],
            "current-phase-context": "[]",
            "version": "1",
        }
    event = {
        "Source": "aws.codebuild",
        "DetailType": "CodeBuild Build State Change",
        "Resources": [build["arn"]],
        "Detail": json.dumps(detail),
    }
    try:
        put_events({"Entries": [event]}, allow_aws_source=True)
    except Exception:  # no reason for a build to hang
        codebuild.logger.exception("Event of %s", build["id"])
