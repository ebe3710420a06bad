"""How long a minute of CloudWatch takes here.

AWS publishes metrics of queues, and looks at alarms, once a minute. Nobody at a laptop waits for minutes, and tests must
not, so a minute of metrics and alarms, and of nothing else, takes `--cloudwatch-minute` seconds. An alarm's Period and
the length of its evaluation shrink with it. A threshold in seconds, such as one on ApproximateAgeOfOldestMessage, does not.
Nor does a Period of an hour or more: such an alarm waits for what the clock starts, or for people, and they keep their pace.
"""

import time

AWS_SECONDS = 60.0
AWS_HOUR_SECONDS = 3_600.0
seconds = 5.0


def shrunk(aws_seconds: float) -> float:
    return aws_seconds * seconds / AWS_SECONDS


def period(aws_seconds: float) -> float:
    return aws_seconds if aws_seconds >= AWS_HOUR_SECONDS else shrunk(aws_seconds)


def end_of_this_one() -> float:
    return (time.time() // seconds + 1) * seconds


def sleep_until_next() -> None:
    """Until the next minute begins, so that each period of an alarm holds the same number of points."""
    time.sleep(seconds - time.time() % seconds)
