"""CloudFormation: whoever asks for a stack that is being changed learns of the end when it comes.

AWS: DescribeStacks answers at once, and the cdk CLI asks again every five seconds. Deployments take minutes, so this
costs nothing.
ministack 1.5.33: the same, but a stack is done in one or two seconds, and the rest of the five is spent asleep.
Override: the answer is held back while the stack is being changed, for less than the CLI's five seconds.
"""

import asyncio
import time

from ministack.services import cloudformation

import wrapping

# Shorter than the CLI's interval, so that its display goes on; long enough for the stacks of this project.
HOLD_SECONDS = 4.0
LOOK_AGAIN_SECONDS = 0.05


@wrapping.wrap(cloudformation, "handle_request", "method", "path", "headers", "body", "query_params")
async def hold_while_in_progress(handle, method, path, headers, body, query_params):
    answer = await handle(method, path, headers, body, query_params)
    if b"Action=DescribeStacks" not in (body or b""):
        return answer
    deadline = time.monotonic() + HOLD_SECONDS
    while is_in_progress(answer[2]) and time.monotonic() < deadline:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        answer = await handle(method, path, headers, body, query_params)
    return answer


def is_in_progress(answer: "str | bytes") -> bool:
    text = answer if isinstance(answer, str) else answer.decode()
    # A stack under REVIEW waits for its change set, that is, for the one who asks.
    return "_IN_PROGRESS</StackStatus>" in text.replace("REVIEW_IN_PROGRESS", "REVIEW")
