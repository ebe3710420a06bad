"""SQS tells CloudWatch how deep its queues are.

AWS: every minute ApproximateNumberOfMessagesVisible, ...NotVisible, ...Delayed and ApproximateAgeOfOldestMessage of each
queue, with the dimension QueueName. The age in a dead-letter queue counts from the move into it.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
ministack 1.5.33: no metrics of queues, and alarms are looked at only when somebody puts a metric or an alarm.
Override: a thread that does both each minute (see cloudwatch_minute.py), and moves messages that were received too
often, which ministack does only when somebody asks for the queue.
"""

import contextvars
import logging
import threading
import time

from ministack.core import responses
from ministack.services import cloudwatch, sqs

import cloudwatch_minute
import metric_points
import queue_lock
import wrapping

logger = logging.getLogger("queue-metrics")
wrapping.require(cloudwatch, "_evict_old_metrics")
wrapping.require(cloudwatch, "_evaluate_all_alarms")
refresh_counts = wrapping.require(sqs, "_refresh_counts", "q")

# Attribute of the queue -> its metric.
COUNTS = {
    "ApproximateNumberOfMessages": "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed": "ApproximateNumberOfMessagesDelayed",
}


def publish(queue: dict) -> None:
    with queue_lock.lock:
        sqs._dlq_sweep(queue)
        refresh_counts(queue)
        counts = {metric: float(queue["attributes"][attribute]) for attribute, metric in COUNTS.items()}
        since = [arrival(message) for message in queue["messages"]]
    dimensions = {"QueueName": queue["attributes"]["QueueArn"].rsplit(":", 1)[-1]}
    for metric, count in counts.items():
        metric_points.record("AWS/SQS", metric, count, "Count", dimensions)
    age = max(0.0, time.time() - min(since)) if since else 0.0
    metric_points.record("AWS/SQS", "ApproximateAgeOfOldestMessage", age, "Seconds", dimensions)


def arrival(message: dict) -> float:
    if "DeadLetterQueueSourceArn" in message.get("sys", {}):
        return message.setdefault("moved_at", time.time())  # a minute late at most
    return message.get("sent_at", time.time())


def minute(account: str, region: str) -> None:
    responses.set_request_account_id(account)
    responses.set_request_region(region)
    for queue in list(sqs._queues.values()):
        publish(queue)
    cloudwatch._evict_old_metrics()
    cloudwatch._evaluate_all_alarms()


def every_minute() -> None:
    while True:
        cloudwatch_minute.sleep_until_next()
        for account, region in {(key[0], key[1]) for store in (sqs._queues, cloudwatch._alarms) for key in list(store._data)}:
            try:
                contextvars.copy_context().run(minute, account, region)
            except Exception:
                logger.exception("Metrics of %s in %s", account, region)


threading.Thread(target=every_minute, daemon=True, name="queue-metrics").start()
