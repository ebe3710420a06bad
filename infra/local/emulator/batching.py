"""Event source mappings of SQS gather batches, as the pollers of AWS do.

AWS: a mapping starts with five concurrent pollers. Each receives up to 10 messages at a time and gathers its own batch,
and invokes the function when the batch has BatchSize messages, when MaximumBatchingWindowInSeconds have passed since
its first message, or when it reaches the 6 MB that an invocation may carry. So at low traffic messages are spread over
five batches: 1.16 messages per second and a window of 55 s make batches of about 13, not of 64.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html and .../services-sqs-scaling.html
ministack 1.5.33: invokes with what one receive returns: at most 10 messages, and no window.
Override: the receive of the mapping's poll is repeated, its messages are spread over five buffers in turn, and one
buffer is handed over when it is due. A gathered message stays invisible for the queue's visibility timeout, counted
from its receive, so that timeout has to exceed the window plus the function's time, as on AWS.
Not restored: more than five pollers under load.
"""

import json
import threading
import time

from ministack.core.concurrency import esm_wake
from ministack.services import lambda_svc, sqs

import wrapping

POLLERS = 5
RECEIVE_LIMIT = 10
PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024
# A record's fields around the body: identifiers, attributes, ARN.
RECORD_OVERHEAD_BYTES = 700


class Poller:
    def __init__(self) -> None:
        self.messages: list[dict] = []
        self.payload_bytes = 0
        self.gathering_since = 0.0

    def add(self, messages: list[dict], window: float) -> None:
        if messages and not self.messages:
            self._open_window(window)
        self.messages += messages
        self.payload_bytes = sum(map(payload_bytes, self.messages))

    def is_full(self, batch_size: int) -> bool:
        return len(self.messages) >= batch_size or self.payload_bytes >= PAYLOAD_LIMIT_BYTES

    def is_due(self, batch_size: int, window: float) -> bool:
        return bool(self.messages) and (
            self.is_full(batch_size) or time.time() - self.gathering_since >= window
        )

    def release(self, batch_size: int, window: float) -> list[dict]:
        """Hands over one batch. What would exceed the payload limit begins the next one."""
        count, size = 0, 0
        for message in self.messages[:batch_size]:
            size += payload_bytes(message)
            if count and size > PAYLOAD_LIMIT_BYTES:
                break
            count += 1
        batch, rest = self.messages[:count], self.messages[count:]
        self.messages = []
        self.add(rest, window)
        return batch

    def forget_expired(self) -> None:
        """A message whose visibility timeout is over (the laptop slept) is back in the queue and will come again."""
        now = time.time()
        if any(message["visible_at"] <= now for message in self.messages):
            self.messages = [message for message in self.messages if message["visible_at"] > now]
            self.payload_bytes = sum(map(payload_bytes, self.messages))

    def _open_window(self, window: float) -> None:
        self.gathering_since = time.time()
        # ministack looks at a quiet mapping once a second; this makes it look when the window ends.
        timer = threading.Timer(window, esm_wake.set)
        timer.daemon = True
        timer.start()


class Mapping:
    """The five pollers of one event source mapping. Used by ministack's polling thread only."""

    def __init__(self) -> None:
        self.pollers = [Poller() for _ in range(POLLERS)]
        self.turn = 0

    def gather(self, receive, batch_size: int, window: float) -> None:
        for poller in self.pollers:
            poller.forget_expired()
        while poller := self._next_with_room(batch_size):
            messages = receive(min(RECEIVE_LIMIT, batch_size - len(poller.messages)))
            if not messages:
                return
            poller.add(messages, window)
            self.turn += 1

    def release_due(self, batch_size: int, window: float) -> list[dict]:
        due = [poller for poller in self.pollers if poller.is_due(batch_size, window)]
        if not due:
            return []
        return min(due, key=lambda poller: poller.gathering_since).release(batch_size, window)

    def _next_with_room(self, batch_size: int) -> "Poller | None":
        for _ in range(POLLERS):
            poller = self.pollers[self.turn % POLLERS]
            if not poller.is_full(batch_size):
                return poller
            self.turn += 1
        return None


def payload_bytes(message: dict) -> int:
    return len(json.dumps(message["body"], ensure_ascii=False).encode()) + RECORD_OVERHEAD_BYTES


mappings: dict[str, Mapping] = {}
polled: dict = {}


@wrapping.wrap(lambda_svc, "_iter_all_esms")
def note_the_polled_mapping(iterate):
    """The receive below is told the queue only, and a queue may have several mappings."""
    global polled
    for account, region, mapping in iterate():
        polled = mapping
        yield account, region, mapping


@wrapping.wrap(sqs, "_receive_messages_for_esm", "queue_url", "max_number")
def receive_batch(receive, queue_url, batch_size):
    if sqs._get_q(queue_url)["is_fifo"]:
        return receive(queue_url, batch_size)  # ordered by message group; Sluice has no such queue
    batch_size = int(batch_size)
    window = float(polled.get("MaximumBatchingWindowInSeconds") or 0)
    mapping = mappings.setdefault(polled["UUID"], Mapping())
    mapping.gather(lambda limit: receive(queue_url, limit), batch_size, window)
    return mapping.release_due(batch_size, window)


@wrapping.wrap(lambda_svc, "_release_esm_poll_state", "esm_id")
def forget_deleted_mapping(release, esm_id):
    mappings.pop(esm_id, None)
    return release(esm_id)
