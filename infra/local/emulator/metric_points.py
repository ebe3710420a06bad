"""CloudWatch: how the points of metrics are kept.

AWS: takes points from many at once, and keeps those of a minute for 15 days.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
ministack 1.5.33: a point that comes while old ones are thrown away is lost, as is one of two that are a metric's first. Keeps
them for 14 days of the real clock: here a day of queues and functions would be hundreds of thousands, looked through each minute.
Override: a lock around both, and 14 days that shrink like all times of metrics (see cloudwatch_minute.py).
"""

import threading
import time

from ministack.services import cloudwatch

import cloudwatch_minute
import wrapping

lock = threading.RLock()

wrapping.require(
    cloudwatch, "_store_datum", "namespace", "name", "dims", "ts", "unit", "value", "values", "counts", "stat_values"
)
if not isinstance(getattr(cloudwatch, "TWO_WEEKS_SECONDS", None), int):
    raise wrapping.OverrideDoesNotFit("cloudwatch.TWO_WEEKS_SECONDS does not exist")
cloudwatch.TWO_WEEKS_SECONDS = cloudwatch_minute.shrunk(cloudwatch.TWO_WEEKS_SECONDS)


def record(namespace: str, name: str, value: float, unit: str, dimensions: dict) -> None:
    record_values(namespace, name, [value], unit, dimensions, time.time())


def record_values(namespace: str, name: str, values: "list[float]", unit: str, dimensions: dict, timestamp: float) -> None:
    """A point for each value. In the account and region of the caller."""
    cloudwatch._store_datum(namespace, name, dimensions, timestamp, unit, None, values, None, None)


def one_at_a_time(act, *arguments, **named):
    with lock:
        return act(*arguments, **named)


for name in ("_store_datum", "record_metric", "_evict_old_metrics"):
    wrapping.wrap(cloudwatch, name)(one_at_a_time)
