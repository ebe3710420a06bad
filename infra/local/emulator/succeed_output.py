"""Step Functions: a Succeed state of a JSONata state machine has an Output.

AWS: "Output" of a Succeed state in JSONata mode is evaluated and becomes the output.
ministack 1.5.33: ignores it and hands on the state's input.
Override: the step that applies OutputPath, the last one of a Succeed state, evaluates Output instead.
"""

from ministack.services import stepfunctions

import wrapping

wrapping.require(stepfunctions, "_apply_jsonata_output", "state_def", "raw_input", "ctx")
wrapping.require(stepfunctions, "_state_query_language", "state_def", "ctx")


@wrapping.wrap(stepfunctions, "_apply_output_path", "state_def", "data", "ctx")
def apply_output(apply_path, state_def, data, ctx=None):
    if state_def.get("Type") == "Succeed" and stepfunctions._state_query_language(state_def, ctx) == "JSONata":
        return stepfunctions._apply_jsonata_output(state_def, data, ctx, default=data)
    return apply_path(state_def, data, ctx)
