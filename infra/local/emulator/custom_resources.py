"""CloudFormation: a custom resource whose function fails is reported as failed at once, with the reason.

AWS: CloudFormation waits for the function's answer until the resource's ServiceTimeout, one hour by default; a function
that fails to load or times out never answers, and the deployment hangs.
ministack 1.5.33: the same, faithfully.
Override: on a laptop nobody wants that hour. When the function ends in an error and has not answered, FAILED is
answered in its place with its error as the reason. (AWS would also try the function twice more; this does not.)
"""

from ministack.services import lambda_svc
from ministack.services.cloudformation import custom_resource

import wrapping

wrapping.require(custom_resource, "deliver_response", "token", "response")
wrapping.require(custom_resource, "_response_url", "token")


@wrapping.wrap(lambda_svc, "_execute_function_with_config_scope", "func", "event")
def answer_for_failed_function(execute, func, event):
    token = token_of(event)
    if token is None:
        return execute(func, event)
    try:
        outcome = execute(func, event)
    except Exception as error:
        answer_failed(token, func, f"{type(error).__name__}: {error}")
        raise
    if outcome.get("error"):
        body = outcome.get("body")
        answer_failed(token, func, f"{body.get('errorType')}: {body.get('errorMessage')}" if isinstance(body, dict) else body)
    return outcome


def token_of(event) -> "str | None":
    """Of the request for a custom resource that still waits for an answer."""
    if not isinstance(event, dict) or not isinstance(event.get("ResponseURL"), str):
        return None
    token = event["ResponseURL"].rsplit("/", 1)[-1]
    return token if event["ResponseURL"] == custom_resource._response_url(token) else None


def answer_failed(token: str, func: dict, reason: str) -> None:
    pending = custom_resource._pending.get(token)
    if pending is None or pending["result"] is not None:
        return
    name = (func.get("config") or func).get("FunctionName")
    custom_resource.deliver_response(token, {"Status": "FAILED", "Reason": f"Function {name} failed. {reason}"})
