"""Step Functions: Tasks that call SQS and Step Functions give results and errors of AWS's names.

AWS: results of `aws-sdk:sqs:*` look as in the API reference (Messages, Attributes); errors are named after the service
and the SDK's exception: StepFunctions.ExecutionAlreadyExistsException of `states:startExecution`,
Sfn.ExecutionAlreadyExistsException of `aws-sdk:sfn:startExecution`.
ministack 1.5.33: calls SQS by its old XML protocol and gives a list of one as the thing itself or under another name; names
errors by their code in the protocol, ExecutionAlreadyExists.
Override: SQS is called by the protocol that SDKs use; the errors get AWS's names.
"""

from ministack.services import stepfunctions

import wrapping
from execution_run import StateError

if stepfunctions._AWS_SDK_SERVICE_MAP.get("sqs") != {"protocol": "query"}:
    raise wrapping.OverrideDoesNotFit("stepfunctions._AWS_SDK_SERVICE_MAP has another entry for sqs")
stepfunctions._AWS_SDK_SERVICE_MAP["sqs"] = {"target_prefix": "AmazonSQS", "protocol": "json", "service_key": "sqs"}


@wrapping.wrap(stepfunctions, "_prefix_sdk_error", "service_name", "error_code")
def name_sdk_error(name, service_name, error_code):
    return name(service_name, exception_of(error_code) if service_name == "sfn" else error_code)


@wrapping.wrap(stepfunctions, "_invoke_nested_start_execution", "resource", "input_data")
def start_nested(start, resource, input_data):
    try:
        return start(resource, input_data)
    except StateError as error:
        raise StateError(f"StepFunctions.{exception_of(error.error)}", error.cause) from None


def exception_of(code: str) -> str:
    return f"{code.removesuffix('Exception')}Exception"
