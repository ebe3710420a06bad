"""Lambda tells CloudWatch how its functions run.

AWS: of each invocation, whoever asked for it, Invocations, Errors, Throttles and Duration in milliseconds with the dimension
FunctionName. One that is throttled is no invocation. An asynchronous one counts each time that it is tried.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
ministack 1.5.33: only of the API's Invoke: not of event source mappings and Tasks. Asynchronous ones never have an error, a
throttled one counts as an invocation, and as two throttles.
Override: they are counted where every function is run, and there only.
Not restored: the metrics without a dimension or by version, and all others of Lambda's.
"""

import time

from ministack.services import lambda_svc

import metric_points
import wrapping


@wrapping.wrap(lambda_svc, "_emit_lambda_metrics", "function_name", "duration_ms", "error", "throttle")
def leave_to_others(_emit, *_arguments, **_named):
    """What it would count is counted below."""


@wrapping.wrap(lambda_svc, "_acquire_execution_slot", "func", "config")
def count_refused(acquire, func, config):
    slot, limit = acquire(func, config)
    if slot is None:
        count(config, Throttles=1)
    return slot, limit


@wrapping.wrap(lambda_svc, "_execute_function_dispatch", "func", "config", "event", "request_id", "started")
def count_run(execute, func, config, *others, **named):
    begun = time.monotonic()
    result = execute(func, config, *others, **named)
    milliseconds = (time.monotonic() - begun) * 1000
    outcome = result if isinstance(result, dict) else {}
    if outcome.get("throttle"):
        count(config, Throttles=1)
    else:
        count(config, Invocations=1, Errors=1 if outcome.get("error") else 0, Throttles=0)
        metric_points.record("AWS/Lambda", "Duration", milliseconds, "Milliseconds", dimensions_of(config))
    return result


def count(config: dict, **counts: int) -> None:
    for name, value in counts.items():
        metric_points.record("AWS/Lambda", name, value, "Count", dimensions_of(config))


def dimensions_of(config: dict) -> dict:
    return {"FunctionName": config["FunctionName"]}
