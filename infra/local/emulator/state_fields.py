"""Step Functions: fields of states that ministack reads differently.

AWS: the expressions of one Assign all see the variables as they were before it; Output of a Choice state applies when
Default is taken; States.ALL and States.TaskFailed match neither States.Runtime nor States.DataLimitExceeded, which
always end the execution; a Retry waits MaxDelaySeconds at most, and with JitterStrategy FULL anything between 0 and that.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
ministack 1.5.33: later expressions of an Assign see what earlier ones set; ignores the other fields; matches all errors.
Override: each of these four steps. Not restored: a wait before a retry of more than 60 s.
"""

import random

from ministack.services import stepfunctions

import wrapping

TERMINAL_ERRORS = ("States.Runtime", "States.DataLimitExceeded")
WILDCARDS = ("States.ALL", "States.TaskFailed")


@wrapping.wrap(stepfunctions, "_apply_state_assign", "state_def", "raw_input", "ctx", "result", "error_output")
def assign_at_once(assign, state_def, raw_input, ctx, result=None, error_output=None):
    fields = state_def.get("Assign")
    if not isinstance(fields, dict) or ctx is None:
        return
    assigned = {}
    for name, expression in fields.items():
        alone = {**ctx, "variables": dict(ctx["variables"])}
        assign({**state_def, "Assign": {name: expression}}, raw_input, alone, result=result, error_output=error_output)
        assigned.update({name: alone["variables"][name]} if name in alone["variables"] else {})
    ctx["variables"].update(assigned)


@wrapping.wrap(stepfunctions, "_execute_choice", "state_def", "raw_input", "ctx")
def choose(execute, state_def, raw_input, ctx=None):
    output, next_name = execute(state_def, raw_input, ctx)
    if "Output" in state_def and all(choice["Next"] != next_name for choice in state_def["Choices"]):
        output = stepfunctions._apply_jsonata_output(state_def, raw_input, ctx, default=output)
    return output, next_name


@wrapping.wrap(stepfunctions, "_error_matches", "error_equals", "error")
def match_error(matches, error_equals, error):
    if error in TERMINAL_ERRORS:
        error_equals = [name for name in error_equals if name not in WILDCARDS]
    return matches(error_equals, error)


@wrapping.wrap(stepfunctions, "_find_matching_retrier", "retriers", "error", "retry_counts")
def with_delay(find, retriers, error, retry_counts):
    """ministack computes IntervalSeconds * BackoffRate ** count; it gets the wanted delay and no rate."""
    retrier, index = find(retriers, error, retry_counts)
    if retrier is None:
        return retrier, index
    delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** retry_counts.get(index, 0)
    delay = min(delay, retrier.get("MaxDelaySeconds", delay))
    if retrier.get("JitterStrategy") == "FULL":
        delay = random.uniform(0, delay)
    return {**retrier, "IntervalSeconds": delay, "BackoffRate": 1.0}, index
