"""Step Functions: the history of an execution tells what led to what.

AWS: every event has a unique id and names the event before it in its own thread of the execution; a Task leaves
TaskScheduled, TaskStarted and one of TaskSucceeded, TaskFailed, TaskTimedOut, with the service and the action, and the
error and its cause; a failed expression leaves EvaluationFailed. An execution fails at 25,000 events.
ministack 1.5.33: no previousEventId; two threads can get the same id; no TaskStarted, TaskTimedOut or EvaluationFailed,
and the whole ARN where AWS has service and action; no limit.
Override: the function that adds an event does this, and refuses events of a run that is over (see execution_run.py).
Not restored: TaskSubmitted of `.sync` Tasks other than builds, the Aborted events of single states, assignedVariables.
"""

import contextvars
import json

from ministack.services import stepfunctions

import wrapping
from execution_run import EVENT_LIMIT, Over, changing, current, previous_event, require_size, standing

RESOURCE_PREFIX = "arn:aws:states:::"

arguments: "contextvars.ContextVar[tuple]" = contextvars.ContextVar("arguments", default=(None, None))


@wrapping.wrap(stepfunctions, "_apply_jsonata_arguments", "state_def", "raw_input", "ctx")
def note_arguments(apply, state_def, raw_input, ctx=None):
    result = apply(state_def, raw_input, ctx)
    arguments.set((state_def, result))
    return result


@wrapping.wrap(stepfunctions, "_add_event", "execution", "event_type", "details")
def add_event(add, execution, event_type, details=None):
    run = current.get()
    is_inside = run is not None and run.execution is execution
    if event_type == "TaskSucceeded":
        require_size(json.loads(details["taskSucceededEventDetails"]["output"]), standing.get().state)
    with changing:
        if is_inside and run.is_over:
            raise Over
        is_full = is_inside and len(execution["events"]) >= EVENT_LIMIT - 1 and not event_type.startswith("Execution")
        for shaped_type, shaped in [] if is_full else as_on_aws(event_type, details or {}):
            event = add(execution, shaped_type, shaped)
            event["previousEventId"] = previous_event.get() if is_inside else event["id"] - 1
            previous_event.set(event["id"])
    if is_full:
        run.fail("States.Runtime", f"The execution reached the maximum number of history events ({EVENT_LIMIT}).")
        raise Over
    return event


def as_on_aws(event_type: str, details: dict):
    task = details.get(f"{event_type[:1].lower()}{event_type[1:]}EventDetails", {})
    if not event_type.startswith("Task") or "resource" not in task:
        yield event_type, details
        return
    of_task = service_and_action(task["resource"])
    if event_type == "TaskScheduled":
        state, evaluated = arguments.get()
        arguments.set((None, None))
        of_task["region"] = stepfunctions.get_region()
        of_task["parameters"] = json.dumps(evaluated)
        if state is not None and isinstance(state.get("TimeoutSeconds"), int):
            of_task["timeoutInSeconds"] = state["TimeoutSeconds"]
        yield event_type, {"taskScheduledEventDetails": of_task}
        yield "TaskStarted", {"taskStartedEventDetails": service_and_action(task["resource"])}
    elif event_type == "TaskFailed" and task["error"] == "States.QueryEvaluationError":
        failed = {"error": task["error"], "cause": task["cause"], "state": standing.get().state}
        yield "EvaluationFailed", {"evaluationFailedEventDetails": failed}
    elif event_type == "TaskFailed":
        what = "TimedOut" if task["error"] == "States.Timeout" else "Failed"
        yield f"Task{what}", {f"task{what}EventDetails": {**of_task, "error": task["error"], "cause": task["cause"]}}
    else:
        name = f"t{event_type[1:]}EventDetails"
        yield event_type, {name: {**task, **of_task}}


def service_and_action(resource: str) -> dict:
    """`arn:aws:states:::aws-sdk:sqs:sendMessage` -> aws-sdk:sqs and sendMessage."""
    service, _, action = resource.removeprefix(RESOURCE_PREFIX).rpartition(":")
    return {"resourceType": service, "resource": action}
