"""SQS: two who read a queue at the same time do not disturb each other.

AWS: a received message is invisible to everybody else, and a deleted one is gone.
ministack 1.5.33: a queue is a Python list. Requests (one thread) and the event source mappings (others) build a new list
and put it in place of the old. Only the mappings hold a lock, so when a client reads a queue that has a mapping, some
messages go to both, and some that were deleted come back.
Override: that lock becomes re-entrant, and whatever changes such a list takes it.
"""

import threading

from ministack.services import s3, sqs

import wrapping

if not hasattr(sqs, "_queues_lock"):
    raise wrapping.OverrideDoesNotFit("sqs._queues_lock does not exist")
lock = sqs._queues_lock = threading.RLock()


def under_lock(original, *arguments, **named):
    with lock:
        return original(*arguments, **named)


for action in ("SendMessage", "SendMessageBatch", "DeleteMessage", "DeleteMessageBatch", "PurgeQueue"):
    handler = sqs._HANDLERS.get(action)
    if handler is None or getattr(sqs, handler.__name__, None) is not handler:
        raise wrapping.OverrideDoesNotFit(f"sqs._HANDLERS has no function of sqs for {action}")
    sqs._HANDLERS[action] = wrapping.wrap(sqs, handler.__name__, "data")(under_lock)

# The steps of ReceiveMessage, which as a whole may wait for messages and so must not hold the lock.
for step in ("_collect_msgs", "_expire_retained", "_dlq_sweep"):
    wrapping.wrap(sqs, step, "q")(under_lock)

wrapping.wrap(s3, "_deliver_event_to_sqs", "arn")(under_lock)
