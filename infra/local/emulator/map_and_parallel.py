"""Step Functions: Map and Parallel remember their iterations and branches, and Parallel speaks JSONata.

AWS: every iteration and branch walks with variables of its own; when one fails, the others are aborted. Map and Parallel
have Started, Succeeded or Failed in the history, and so has every iteration. In JSONata a Parallel has Arguments, Output
and Assign.
ministack 1.5.33: walks without a position and without events; branches share one context, so that they overwrite each
other's variables and State; waits for all when one has failed; ignores those fields of a Parallel.
Override: an attempt at a Map or Parallel is a Fork, whose iterations and branches walk as the execution itself does (see
execution_run.py). Parallel's fields are evaluated here. Running them side by side stays ministack's.
"""

import copy
from typing import Any

from ministack.services import stepfunctions

import wrapping
from execution_run import Frame, Over, StateError, current, previous_event, standing, walk

wrapping.require(stepfunctions, "_apply_state_assign", "state_def", "raw_input", "ctx", "result")
wrapping.require(stepfunctions, "_jsonata_state_field", "state_def", "field", "expected", "raw_input", "ctx")
wrapping.require(stepfunctions, "_next_or_end", "state_def")
wrapping.require(stepfunctions, "_resolve_path_or_ctx", "path", "data", "ctx")


class Fork:
    """The iterations or branches of one attempt at a Map or Parallel."""

    def __init__(self, kind: str, name: str, frame: Frame, branches: list) -> None:
        self.kind, self.name, self.parent, self.branches = kind, name, frame.within, branches
        # Only the first attempt after a redrive goes on with what an earlier one left. A retry starts over.
        self.is_resumed, frame.is_resumed = frame.is_resumed, False
        if not self.is_resumed:
            frame.inner = {}
        self.inner, frame.fork = frame.inner, self
        self.has_failed = False
        self.last_event: "int | None" = None

    @property
    def is_over(self) -> bool:
        return self.has_failed or (self.parent is not None and self.parent.is_over)

    def run(self, execution: dict, length: "int | None", attempt) -> Any:
        """The attempt, which calls walk_inner for each iteration or branch, between its events."""
        if not self.is_resumed:
            details = {} if length is None else {"mapStateStartedEventDetails": {"length": length}}
            stepfunctions._add_event(execution, f"{self.kind}StateStarted", details)
        try:
            result = attempt()
        except StateError:
            self.note_end(execution, "Failed")
            raise
        self.note_end(execution, "Succeeded")
        return result

    def walk_inner(self, states: dict, start_at: str, data: Any, ctx: dict, execution: dict) -> Any:
        ctx = copy.deepcopy(ctx)  # ministack gives all branches of a Parallel the same one
        if self.kind == "Map":
            index = ctx["Map"]["Item"]["Index"]
        else:
            index = next(i for i, branch in enumerate(self.branches) if branch.get("States") is states)
        frame = self.inner.get(index)
        if frame is not None and frame.is_done:
            return frame.output
        if self.is_over:
            return None
        if frame is None:
            frame = self.inner[index] = Frame(start_at, copy.deepcopy(data), copy.deepcopy(ctx["variables"]))
        frame.within = self
        try:
            self.note(execution, "Started", index)
            output = walk(states, frame, ctx, execution)
            self.note(execution, "Succeeded", index)
        except StateError:
            self.has_failed = True
            self.note(execution, "Failed", index)
            raise
        except Over:
            if not current.get().is_over:
                self.note(execution, "Aborted", index)
            return None
        frame.output, frame.is_done = output, True
        return output

    def note(self, execution: dict, what: str, index: int) -> None:
        """Branches of a Parallel have no events of their own."""
        if self.kind == "Map":
            details = {f"mapIteration{what}EventDetails": {"name": self.name, "index": index}}
            stepfunctions._add_event(execution, f"MapIteration{what}", details)
        self.last_event = previous_event.get()

    def note_end(self, execution: dict, what: str) -> None:
        if self.last_event is not None:
            previous_event.set(self.last_event)
        stepfunctions._add_event(execution, f"{self.kind}State{what}")


@wrapping.wrap(stepfunctions, "_run_sub_machine", "states", "start_at", "input_data", "execution", "ctx")
def walk_inner(run, states, start_at, input_data, execution, ctx):
    frame = standing.get()
    if frame is None or frame.fork is None:
        return run(states, start_at, input_data, execution, ctx)
    return frame.fork.walk_inner(states, start_at, input_data, ctx, execution)


@wrapping.wrap(stepfunctions, "_run_map_items", "state_def", "raw_input", "execution", "ctx")
def run_map_items(run, state_def, raw_input, execution, ctx):
    processor = state_def.get("ItemProcessor") or state_def.get("Iterator") or {}
    if (processor.get("ProcessorConfig") or {}).get("Mode") == "DISTRIBUTED":
        return run(state_def, raw_input, execution, ctx)
    # ministack evaluates them once more. An expression has no effects.
    if "Items" in state_def:
        items = stepfunctions._jsonata_state_field(state_def, "Items", "array", raw_input, ctx)
    else:
        items = stepfunctions._resolve_path_or_ctx(state_def.get("ItemsPath", "$"), raw_input, ctx)
    fork = Fork("Map", ctx["State"]["Name"], standing.get(), [])
    length = len(items) if isinstance(items, list) else 1
    return fork.run(execution, length, lambda: run(state_def, raw_input, execution, ctx))


@wrapping.wrap(stepfunctions, "_run_parallel_branches", "state_def", "raw_input", "execution", "ctx")
def run_parallel_branches(run, state_def, raw_input, execution, ctx):
    branches = state_def["Branches"]
    fork = Fork("Parallel", ctx["State"]["Name"], standing.get(), branches)
    if stepfunctions._state_query_language(state_def, ctx) != "JSONata":
        return fork.run(execution, None, lambda: run(state_def, raw_input, execution, ctx))
    arguments = stepfunctions._apply_jsonata_arguments(state_def, raw_input, ctx)
    plain = {"Type": "Parallel", "Branches": branches, "End": True}
    results, _ = fork.run(execution, None, lambda: run(plain, arguments, execution, ctx))
    output = stepfunctions._apply_jsonata_output(state_def, raw_input, ctx, result=results, default=results)
    stepfunctions._apply_state_assign(state_def, raw_input, ctx, result=results)
    return output, stepfunctions._next_or_end(state_def)
