"""CloudWatch Logs: lines in the embedded metric format become metrics.

AWS: of a log line that is a JSON object with `_aws.CloudWatchMetrics` it extracts the metrics named there, for each set of
dimensions, a point for each value, at the time that the line says. A line against the specification makes none.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
ministack 1.5.33: they are lines like others.
Override: the lines of functions are looked through where they come to the log.
Not restored: lines of builds or of PutLogEvents; AWS's own metrics on lines that it refused, which are in this log instead.
"""

import json
import logging
import time

from ministack.services import lambda_svc

import metric_points
import wrapping

logger = logging.getLogger("embedded-metrics")

# Of a metric in one line.
VALUES_LIMIT = 100
# In a set of dimensions.
DIMENSIONS_LIMIT = 30


class Invalid(Exception):
    """The line is against the specification."""


@wrapping.wrap(lambda_svc, "_emit_lambda_logs", "func", "request_id", "log_text")
def extract(emit, func, request_id, log_text, *others, **named):
    emit(func, request_id, log_text, *others, **named)
    for line in (log_text or "").splitlines():
        if '"CloudWatchMetrics"' not in line:
            continue
        try:
            for point in points_of(json.loads(line)):
                metric_points.record_values(*point)
        except (Invalid, ValueError, TypeError, KeyError, AttributeError) as error:
            logger.warning("No metrics of a line of %s: %r", func.get("config", func).get("FunctionName"), error)


def points_of(document: dict) -> "list[tuple]":
    """For each metric and set of dimensions what `record_values` takes. All of a line, or none."""
    about = document["_aws"]
    timestamp = about["Timestamp"] / 1000
    if abs(timestamp - time.time()) > 14 * 24 * 3600:
        raise Invalid(f"timestamp {timestamp}")
    return [
        (directive["Namespace"], metric["Name"], values_of(document, metric["Name"]), metric.get("Unit", "None"), dimensions, timestamp)
        for directive in about["CloudWatchMetrics"]
        for dimensions in [dimensions_of(document, names) for names in directive["Dimensions"]]
        for metric in directive["Metrics"]
    ]


def dimensions_of(document: dict, names: "list[str]") -> dict:
    dimensions = {name: document[name] for name in names}
    if len(names) > DIMENSIONS_LIMIT or not all(isinstance(value, str) and value for value in dimensions.values()):
        raise Invalid(f"dimensions {names}")
    return dimensions


def values_of(document: dict, name: str) -> "list[float]":
    value = document[name]
    values = value if isinstance(value, list) else [value]
    if len(values) > VALUES_LIMIT or not all(type(each) in (int, float) for each in values):
        raise Invalid(f"values of {name}")
    return [float(each) for each in values]
