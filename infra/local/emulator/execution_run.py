"""Step Functions: how an execution walks through its states.

AWS: an execution can be redriven, so it remembers where it stands; once it is stopped it does nothing more; states
inside Map and Parallel are in its history; variables of an iteration or branch are its own; when one iteration or branch
fails, the others are aborted; a failed execution has an error and no output. It ends at TimeoutSeconds of the definition,
at 256 KiB of a state's output, and at 25,000 events.
ministack 1.5.33: one function for the whole walk keeps no position, writes on after StopExecution, gives a failed
execution an output, and knows none of the limits; a second one for iterations and branches writes no events, and branches
share one context, so that they overwrite each other's variables and State. Succeed ignores Output in JSONata.
Override: one walk for all of them, in place of those two functions (the second: see map_and_parallel.py). What a state does
stays ministack's.
Not restored: Distributed Map, whose children walk by ministack's function.
"""

import contextvars
import copy
import dataclasses
import json
import threading
from typing import Any

from ministack.core.responses import now_iso
from ministack.services import stepfunctions

import wrapping

PAYLOAD_LIMIT_BYTES = 256 * 1024
EVENT_LIMIT = 25_000
# States whose function gets the execution too.
WITH_EXECUTION = ("Task", "Parallel", "Map")

for name, parameters in {
    "_execute_pass": ("state_def", "raw_input", "ctx"),
    "_execute_choice": ("state_def", "raw_input", "ctx"),
    "_execute_wait": ("state_def", "raw_input", "ctx"),
    "_execute_task": ("state_def", "raw_input", "execution", "ctx"),
    "_execute_parallel": ("state_def", "raw_input", "execution", "ctx"),
    "_execute_map": ("state_def", "raw_input", "execution", "ctx"),
    "_fail_state_error": ("state_def", "raw_input", "ctx"),
    "_apply_input_path": ("state_def", "data", "ctx"),
    "_apply_output_path": ("state_def", "data", "ctx"),
    "_apply_jsonata_output": ("state_def", "raw_input", "ctx"),
    "_state_query_language": ("state_def", "ctx"),
    "_add_event": ("execution", "event_type", "details"),
    "_emit_execution_status_event": ("execution",),
}.items():
    wrapping.require(stepfunctions, name, *parameters)
StateError = stepfunctions._ExecutionError


class Over(Exception):
    """This thread works for a run, an iteration or a branch that has ended without it."""


@dataclasses.dataclass
class Frame:
    """Where a machine stands: the whole one, an iteration of a Map or a branch of a Parallel."""

    state: str
    input: Any
    variables: dict
    # Of the Map or Parallel it stands at: the iterations or branches by their index.
    inner: "dict[int, Frame]" = dataclasses.field(default_factory=dict)
    is_done: bool = False
    output: Any = None
    # It stands where an earlier run ended, and that state has not been run again yet.
    is_resumed: bool = False
    # The Fork that it is an iteration or a branch of, and the one at which it stands (see map_and_parallel.py).
    within: Any = None
    fork: Any = None

    def enter(self, state: str, data: Any, variables: dict) -> None:
        self.state, self.input, self.variables = state, data, copy.deepcopy(variables)
        self.inner, self.fork = {}, None

    def resumed(self) -> "Frame":
        """A copy to go on with. The threads of the run that ended may still hold this one."""
        inner = {index: frame if frame.is_done else frame.resumed() for index, frame in self.inner.items()}
        variables = copy.deepcopy(self.variables)
        return Frame(self.state, self.input, variables, inner, is_resumed=True)


class Run:
    """An execution from its start, or from one redrive, to its end."""

    def __init__(self, execution: dict, definition: str, frame: "Frame | None" = None) -> None:
        self.execution = execution
        self.definition = definition
        self.machine = json.loads(definition)
        self.frame = frame or Frame(self.machine["StartAt"], json.loads(execution["input"]), {})
        self.woken = threading.Event()
        latest[execution["executionArn"]] = self

    @property
    def is_over(self) -> bool:
        return self.execution["status"] != "RUNNING" or latest.get(self.execution["executionArn"]) is not self

    def go(self) -> None:
        """In a context of its own: a state of another execution may have started this one."""
        contextvars.copy_context().run(self._go)

    def _go(self) -> None:
        current.set(self)
        self.execution["events"][0].setdefault("previousEventId", 0)
        previous_event.set(self.execution["events"][-1]["id"])
        clock = self._start_clock()
        try:
            output = json.dumps(walk(self.machine["States"], self.frame, self._context(), self.execution))
            self.end("SUCCEEDED", "ExecutionSucceeded", {"executionSucceededEventDetails": {"output": output}}, output=output)
        except Over:
            pass
        except StateError as error:
            self.fail(error.error, error.cause)
        except Exception as error:  # a mistake of the emulator; AWS's name for what is nobody else's
            stepfunctions.logger.exception("Execution %s", self.execution["executionArn"])
            self.fail("States.Runtime", repr(error))
        finally:
            if clock is not None:
                clock.cancel()

    def fail(self, error: str, cause: str) -> None:
        details = {"executionFailedEventDetails": {"error": error, "cause": cause}}
        self.end("FAILED", "ExecutionFailed", details, error=error, cause=cause)

    def end(self, status: str, event_type: str, details: dict, **fields: str) -> None:
        with changing:
            if self.is_over:
                return
            stepfunctions._add_event(self.execution, event_type, details)
            self.execution.update(fields, status=status, stopDate=now_iso())
        self.woken.set()
        stepfunctions._emit_execution_status_event(self.execution)

    def _start_clock(self) -> "threading.Timer | None":
        seconds = self.machine.get("TimeoutSeconds")
        if seconds is None:
            return None
        details = {"executionTimedOutEventDetails": {"error": "States.Timeout"}}
        clock = threading.Timer(
            seconds,
            contextvars.copy_context().run,
            (self.end, "TIMED_OUT", "ExecutionTimedOut", details),
        )
        clock.daemon = True
        clock.start()
        return clock

    def _context(self) -> dict:
        execution = self.execution
        context = {
            "Id": execution["executionArn"],
            "Input": json.loads(execution["input"]),
            "Name": execution["name"],
            "RoleArn": execution["events"][0]["executionStartedEventDetails"]["roleArn"],
            "StartTime": execution["startDate"],
        }
        if execution.get("redriveDate"):  # only then, on AWS too
            context.update(RedriveCount=execution["redriveCount"], RedriveTime=execution["redriveDate"])
        machine_arn = execution["stateMachineArn"]
        return {
            "QueryLanguage": self.machine.get("QueryLanguage", "JSONPath"),
            "Execution": context,
            "StateMachine": {"Id": machine_arn, "Name": machine_arn.split(":")[6]},
        }


# The last run of each execution, by its ARN.
latest: dict[str, Run] = {}
# Held while the history or the status of an execution changes.
changing = threading.RLock()
current: "contextvars.ContextVar[Run | None]" = contextvars.ContextVar("run", default=None)
standing: "contextvars.ContextVar[Frame | None]" = contextvars.ContextVar("frame", default=None)
previous_event: "contextvars.ContextVar[int]" = contextvars.ContextVar("previous event", default=0)


def walk(states: dict, frame: Frame, ctx: dict, execution: dict) -> Any:
    """From where the frame stands to the machine's output."""
    name, data = frame.state, frame.input
    ctx["variables"] = copy.deepcopy(frame.variables)
    while name:
        if current.get().is_over or (frame.within is not None and frame.within.is_over):
            raise Over
        state = states.get(name)
        if state is None:
            raise StateError("States.Runtime", f"State '{name}' not found in definition")
        kind = state.get("Type")
        ctx["State"] = {"Name": name, "EnteredTime": now_iso(), "RetryCount": 0}
        # Redrive goes on with the state that was entered before. Only a Fail state is entered again.
        if not frame.is_resumed or kind == "Fail":
            entered = {"name": name, "input": json.dumps(data)}
            stepfunctions._add_event(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": entered})
            frame.enter(name, data, ctx["variables"])
        standing.set(frame)
        data, next_name = run_state(kind, state, data, execution, ctx)
        frame.is_resumed = False
        require_size(data, name)
        exited = {"name": name, "output": json.dumps(data)}
        stepfunctions._add_event(execution, f"{kind}StateExited", {"stateExitedEventDetails": exited})
        name = next_name
    return data


def run_state(kind: str, state: dict, data: Any, execution: dict, ctx: dict) -> "tuple[Any, str | None]":
    if kind == "Succeed":
        if stepfunctions._state_query_language(state, ctx) == "JSONata":
            return stepfunctions._apply_jsonata_output(state, data, ctx, default=data), None
        return stepfunctions._apply_output_path(state, stepfunctions._apply_input_path(state, data, ctx), ctx), None
    if kind == "Fail":
        raise StateError(*stepfunctions._fail_state_error(state, data, ctx))
    execute = getattr(stepfunctions, f"_execute_{str(kind).lower()}", None)
    if execute is None:
        raise StateError("States.Runtime", f"Unknown state type: {kind}")
    return execute(state, data, execution, ctx) if kind in WITH_EXECUTION else execute(state, data, ctx)


def require_size(data: Any, name: str) -> None:
    if len(json.dumps(data, ensure_ascii=False).encode()) > PAYLOAD_LIMIT_BYTES:
        raise StateError(
            "States.DataLimitExceeded",
            f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service limit.",
        )


@wrapping.wrap(stepfunctions, "_run_execution", "exec_arn")
def run_execution(run, exec_arn):
    execution = stepfunctions._executions.get(exec_arn)
    machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) if execution else None
    if machine is None:
        return run(exec_arn)  # deleted in the meantime; ministack says so
    Run(execution, machine["definition"]).go()


@wrapping.wrap(stepfunctions, "_stop_execution", "data")
def wake_stopped(stop, data):
    answer = stop(data)
    run = latest.get(data.get("executionArn"))
    if run is not None and run.is_over:
        run.woken.set()
    return answer


@wrapping.wrap(stepfunctions, "_scaled_sleep", "seconds")
def sleep_until_woken(sleep, seconds):
    """A Wait, or the pause before a retry, ends with the execution."""
    run = current.get()
    if run is None:
        return sleep(seconds)
    run.woken.wait(seconds * stepfunctions._SFN_WAIT_SCALE)
    if run.is_over:
        raise Over


@wrapping.wrap(stepfunctions, "reset")
def forget(reset):
    reset()
    for run in latest.values():
        run.woken.set()
    latest.clear()
