"""Step Functions: RedriveExecution.

AWS: an execution that failed, was stopped or timed out within the last 14 days goes on at the state that did not succeed,
with the input and the variables that state had, under the same ARN and the definition of its start. What had succeeded is
not run again; of a Map or Parallel only the iterations and branches that had not. Retries and timeouts start anew.
https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
ministack 1.5.33: unknown action.
Override: the action. A run's position (see execution_run.py) is where the next one begins.
Not certain: which events AWS writes after ExecutionRedriven. Here a state that is run again is not entered again, but an
iteration has another MapIterationStarted.
"""

import contextvars
import json
import threading

from ministack.core.responses import error_response_json, json_response, now_iso
from ministack.services import stepfunctions

import wrapping
from execution_run import Run, changing, latest
from executions_api import why_not_redrivable


@wrapping.wrap(stepfunctions, "handle_request", "method", "path", "headers", "body", "query_params")
async def handle(handle_others, method, path, headers, body, query_params):
    if not headers.get("x-amz-target", "").endswith(".RedriveExecution"):
        return await handle_others(method, path, headers, body, query_params)
    return stepfunctions._finalize_response(redrive_execution(json.loads(body or b"{}")))


def redrive_execution(data: dict):
    arn = data.get("executionArn", "")
    execution = stepfunctions._executions.get(arn)
    if execution is None:
        return error_response_json("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'", 400)
    with changing:
        token = data.get("clientToken")
        if token and execution.get("redriveToken") == token:
            return json_response({"redriveDate": execution["redriveDate"]})
        reason = why_not_redrivable(execution)
        if reason is not None:
            return error_response_json("ExecutionNotRedrivable", reason, 400)
        ended = latest[arn]
        run = Run(execution, ended.definition, ended.frame.resumed())
        execution.update(
            status="RUNNING",
            stopDate=None,
            error=None,
            cause=None,
            redriveCount=execution.get("redriveCount", 0) + 1,
            redriveDate=now_iso(),
            redriveToken=token,
        )
        details = {"redriveCount": execution["redriveCount"]}
        stepfunctions._add_event(execution, "ExecutionRedriven", {"executionRedrivenEventDetails": details})
    stepfunctions._emit_execution_status_event(execution)
    # The thread keeps the account and region of this request.
    threading.Thread(target=contextvars.copy_context().run, args=(run.go,), daemon=True).start()
    return json_response({"redriveDate": execution["redriveDate"]})
