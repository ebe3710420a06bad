"""Step Functions: what is told about executions.

AWS: StartExecution with the name and the input of a running execution answers with that execution, so that a caller may
repeat it; a failed execution has no output; DescribeExecution, ListExecutions and the status change event on EventBridge
tell how often it was redriven and whether it can be; the definition of an execution is the one it was started with.
ministack 1.5.33: answers ExecutionAlreadyExists to the repetition; knows no redrive, only FAILED as redrivable and only
its error in events; tells the present definition.
Override: these answers, and the detail of the event on its way to EventBridge.
"""

import contextvars
import json
import time

from ministack.core.responses import json_response
from ministack.services import eventbridge, stepfunctions

import wrapping
from execution_run import EVENT_LIMIT, latest

REDRIVABLE_SECONDS = 14 * 24 * 3600
ENDED_BADLY = ("FAILED", "ABORTED", "TIMED_OUT")


def why_not_redrivable(execution: dict) -> "str | None":
    """In AWS's words (API reference of DescribeExecution, redriveStatusReason)."""
    if execution["status"] not in ENDED_BADLY:
        return f"Execution is {execution['status']} and cannot be redriven"
    if len(execution["events"]) >= EVENT_LIMIT - 1:
        return "Execution history event limit exceeded"
    if time.time() - milliseconds(execution["stopDate"]) / 1000 > REDRIVABLE_SECONDS:
        return "Execution redrivable period exceeded"
    return None


def milliseconds(date: str) -> int:
    return stepfunctions._iso_to_epoch_ms(date)


def redrive_status(execution: dict) -> dict:
    reason = why_not_redrivable(execution)
    if reason is None:
        return {"redriveStatus": "REDRIVABLE"}
    return {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}


def redrives(execution: dict) -> dict:
    date = execution.get("redriveDate")
    return {"redriveCount": execution.get("redriveCount", 0), **({"redriveDate": date} if date else {})}


def with_body(answer, change):
    status, _headers, body = answer
    if status != 200:
        return answer
    content = json.loads(body)
    change(content)
    return json_response({name: value for name, value in content.items() if value is not None})


@wrapping.wrap(stepfunctions, "_start_execution", "data")
def start_once(start, data):
    machine_arn = stepfunctions._resolve_state_machine_arn(data.get("stateMachineArn", ""))
    if machine_arn and data.get("name"):
        arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{data['name']}"
        running = stepfunctions._executions.get(arn)
        if running and running["status"] == "RUNNING" and running["input"] == data.get("input", "{}"):
            return json_response({"executionArn": arn, "startDate": running["startDate"]})
    return start(data)


@wrapping.wrap(stepfunctions, "_describe_execution", "data")
def describe_execution(describe, data):
    def change(content):
        execution = stepfunctions._executions[content["executionArn"]]
        content.update(**redrives(execution), **redrive_status(execution))
        if content.get("output") is None:
            del content["outputDetails"]

    return with_body(describe(data), change)


@wrapping.wrap(stepfunctions, "_list_executions", "data")
def list_executions(list_, data):
    def change(content):
        for item in content["executions"]:
            item.update(redrives(stepfunctions._executions[item["executionArn"]]))
        wanted = data.get("redriveFilter")
        if wanted:
            are_redriven = wanted == "REDRIVEN"
            content["executions"] = [e for e in content["executions"] if (e["redriveCount"] > 0) == are_redriven]

    return with_body(list_(data), change)


@wrapping.wrap(stepfunctions, "_describe_state_machine_for_execution", "data")
def describe_state_machine(describe, data):
    def change(content):
        run = latest.get(data["executionArn"])
        if run is not None:
            content["definition"] = run.definition

    return with_body(describe(data), change)


emitting: "contextvars.ContextVar[dict | None]" = contextvars.ContextVar("emitting", default=None)


@wrapping.wrap(stepfunctions, "_emit_execution_status_event", "execution")
def note_emitting(emit, execution):
    token = emitting.set(execution)
    try:
        emit(execution)
    finally:
        emitting.reset(token)


@wrapping.wrap(eventbridge, "_put_events", "data", "allow_aws_source")
def complete_status_event(put, data, allow_aws_source=False):
    execution = emitting.get()
    if execution is None or not allow_aws_source:
        return put(data, allow_aws_source=allow_aws_source)
    emitting.set(None)  # what a rule starts has events of its own
    (entry,) = data["Entries"]
    detail = json.loads(entry["Detail"])
    detail.update(
        redriveCount=execution.get("redriveCount", 0),
        redriveDate=milliseconds(execution["redriveDate"]) if execution.get("redriveDate") else None,
        redriveStatusReason=None,
        error=execution.get("error"),
        cause=execution.get("cause"),
    )
    detail.update(redrive_status(execution))
    return put({"Entries": [{**entry, "Detail": json.dumps(detail)}]}, allow_aws_source=True)
