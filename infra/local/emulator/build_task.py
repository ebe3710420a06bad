"""Step Functions: Tasks that run builds.

AWS: `codebuild:startBuild` gives what StartBuild answers; `.sync` waits and gives the build as it ended, or fails with
States.TaskFailed and the build as the cause when it did not succeed. Errors of StartBuild are CodeBuild.<exception>. When
the Task times out, is aborted or its execution is stopped, the build is stopped. The history has TaskSubmitted.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-codebuild.html
ministack 1.5.33: knows neither; does not end what a Task that timed out had begun.
Override: an entry in its table of services, and the limit of time for this service.
Not restored: startBuildBatch, stopBuild, batchDeleteBuilds, batchGetReports as optimized integrations.
"""

import contextvars
import copy
import json
import time

from ministack.services import codebuild, stepfunctions

import builds
import wrapping
from build_phases import changing
from execution_run import Over, StateError, current, standing

RESOURCE = "arn:aws:states:::codebuild:startBuild"
LOOK_AGAIN_SECONDS = 0.05
# In the answers of this integration they are milliseconds.
TIMES = ("startTime", "endTime")

to_camel = wrapping.require(stepfunctions, "_convert_keys_to_camel", "data")
if not isinstance(getattr(stepfunctions, "_SERVICE_DISPATCH", None), dict):
    raise wrapping.OverrideDoesNotFit("stepfunctions._SERVICE_DISPATCH does not exist")
time_limit: "contextvars.ContextVar[float | None]" = contextvars.ContextVar("time limit", default=None)


@wrapping.wrap(stepfunctions, "_invoke_resource_with_timeout", "resource", "input_data", "timeout")
def limit_build(invoke, resource, input_data, timeout):
    if not resource.startswith(RESOURCE):
        return invoke(resource, input_data, timeout)
    token = time_limit.set(timeout)
    try:
        return stepfunctions._invoke_resource(resource, input_data)
    finally:
        time_limit.reset(token)


def start_build(resource, arguments):
    limit = time_limit.get()
    deadline = None if limit is None else time.monotonic() + limit
    status, _headers, body = codebuild._start_build(to_camel(arguments))
    answer = json.loads(body)
    if status != 200:
        raise StateError(f"CodeBuild.{answer['__type']}", answer["message"])
    if not resource.endswith(".sync"):
        return as_result(answer["build"])
    build_id = answer["build"]["id"]
    submitted = {"resource": resource, "output": json.dumps(as_result(answer["build"]))}
    try:
        if run := current.get():
            stepfunctions._add_event(run.execution, "TaskSubmitted", {"taskSubmittedEventDetails": submitted})
        build = wait_for_end(build_id, deadline)
    except BaseException:
        codebuild._stop_build({"id": build_id})
        raise
    result = as_result(build)
    if build["buildStatus"] != "SUCCEEDED":
        raise StateError("States.TaskFailed", json.dumps(result))
    return result


def wait_for_end(build_id: str, deadline: "float | None") -> dict:
    build_run = builds.runs[build_id]
    while not build_run.ended.wait(LOOK_AGAIN_SECONDS):
        run, frame = current.get(), standing.get()
        if (run is not None and run.is_over) or (frame is not None and frame.within is not None and frame.within.is_over):
            raise Over
        if deadline is not None and time.monotonic() >= deadline:
            raise StateError("States.Timeout", f"Task timed out after {time_limit.get()} seconds")
    with changing:
        return copy.deepcopy(build_run.build)


def as_result(build: dict) -> dict:
    return {"Build": to_pascal(build)}


def to_pascal(value):
    if isinstance(value, list):
        return [to_pascal(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name[:1].upper() + name[1:]: int(item * 1000) if name in TIMES and item else to_pascal(item)
        for name, item in value.items()
    }


stepfunctions._SERVICE_DISPATCH[RESOURCE] = start_build
