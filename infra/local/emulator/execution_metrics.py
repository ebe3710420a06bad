"""Step Functions tells CloudWatch how executions begin and end.

AWS: ExecutionsStarted, ExecutionsSucceeded, ExecutionsFailed, ExecutionsTimedOut and ExecutionsAborted, with the dimension
StateMachineArn.
https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
ministack 1.5.33: no metrics.
Override: a point at each change of status, where EventBridge is told too.
Not restored: ExecutionTime, metrics of redrives, of activities, of Tasks and of the API.
Not certain: whether AWS counts the end of a redriven execution here too. Here it does; its start is that of the first run.
"""

from ministack.services import stepfunctions

import metric_points
import wrapping

METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


@wrapping.wrap(stepfunctions, "_emit_execution_status_event", "execution")
def count(emit, execution):
    metric = METRICS.get(execution["status"])
    is_redrive = execution["status"] == "RUNNING" and execution.get("redriveCount", 0) > 0
    if metric is not None and not is_redrive:
        metric_points.record("AWS/States", metric, 1, "Count", {"StateMachineArn": execution["stateMachineArn"]})
    emit(execution)
