"""CloudWatch: alarms look at their own metric, period by period, and tell EventBridge when their state changes.

AWS: an alarm looks at the metric with exactly its dimensions, each minute; one value per period, of which the last ends with
that minute, also those of an hour or a day; it is in ALARM when DatapointsToAlarm of the last EvaluationPeriods values breach;
TreatMissingData decides about periods without a value, unless enough values lie a little further back. Actions run, and a
"CloudWatch Alarm State Change" event is sent, only when the state changes.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html and .../cloudwatch-and-eventbridge.html
ministack 1.5.33: mixes the metrics of all dimensions, takes one value over all periods, ignores DatapointsToAlarm and
TreatMissingData, and sends no events. Actions on SNS topics work.
Override: the evaluation of alarms on one metric with a threshold, and the event.
Not restored: anomaly bands. ministack refuses to deploy alarms on metric math.
"""

import json
import time

from ministack.services import cloudwatch, eventbridge

import cloudwatch_minute
import wrapping

BREACHES = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
# How many periods further back AWS looks for values when the last ones are missing. It does not say; one is enough for
# a value that is late.
LOOK_BACK_PERIODS = 1

calculate = wrapping.require(cloudwatch, "_calc_stats", "points")
statistic = wrapping.require(cloudwatch, "_stat_value", "stats", "stat_name", "points")
record_history = wrapping.require(cloudwatch, "_record_history", "alarm_name", "old_state", "new_state", "reason")
evaluate_parents = wrapping.require(cloudwatch, "_evaluate_parent_alarms", "child")
dimensions_of = wrapping.require(cloudwatch, "_dims_from_list", "dimensions")
dimensions_key = wrapping.require(cloudwatch, "_dims_key", "dims")
put_events = wrapping.require(eventbridge, "_put_events", "data", "allow_aws_source")


@wrapping.wrap(cloudwatch, "_evaluate_alarm", "alarm")
def evaluate(_evaluate, alarm):
    if alarm.get("ComparisonOperator") not in BREACHES or not alarm.get("MetricName"):
        return
    old = alarm["StateValue"]
    new, reason = state_of(alarm, recent_values(alarm))
    if new == old:
        return
    alarm.update(StateValue=new, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    evaluate_parents(alarm)


def recent_values(alarm: dict) -> "list[float | None]":
    """One for each of the last EvaluationPeriods, None where there is none; from further back when that is needed."""
    key = (alarm["Namespace"], alarm["MetricName"], dimensions_key(dimensions_of(alarm.get("Dimensions") or [])))
    period = cloudwatch_minute.period(alarm.get("Period") or 60)
    end = cloudwatch_minute.end_of_this_one()
    wanted = alarm.get("EvaluationPeriods") or 1
    looked_at = wanted + LOOK_BACK_PERIODS
    # By how many periods they are back.
    by_period: dict[int, list] = {}
    for point in list(cloudwatch._metrics.get(key, [])):
        if end - looked_at * period < point["Timestamp"] < end:
            by_period.setdefault(int((end - point["Timestamp"]) // period), []).append(point)
    name = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    values = [
        statistic(calculate(by_period[back]), name, by_period[back]) if back in by_period else None
        for back in reversed(range(looked_at))
    ]
    found = [value for value in values if value is not None]
    return found[-wanted:] if len(found) >= wanted else values[-wanted:]


def state_of(alarm: dict, values: "list[float | None]") -> "tuple[str, str]":
    treatment = alarm.get("TreatMissingData") or "missing"
    threshold = alarm["Threshold"]
    found = [value for value in values if value is not None]
    missing = len(values) - len(found)
    if not found and treatment == "missing":
        return "INSUFFICIENT_DATA", f"Insufficient Data: {missing} datapoints were unknown."
    if missing and treatment == "ignore":
        return alarm["StateValue"], ""
    needed = alarm.get("DatapointsToAlarm") or alarm.get("EvaluationPeriods") or 1
    breaching = sum(BREACHES[alarm["ComparisonOperator"]](value, threshold) for value in found)
    if treatment == "breaching":
        breaching += missing
    elif treatment == "missing":
        needed = min(needed, len(found))
    new = "ALARM" if breaching >= needed else "OK"
    seen = f"datapoints {found}" if found else f"no datapoints in {missing} periods, treated as {treatment}"
    return new, (
        f"Threshold Crossed: {seen}: {breaching} breaching by {alarm['ComparisonOperator']} ({threshold}), "
        f"{needed} needed for ALARM."
    )


# What each alarm's last event said about its state, by ARN.
told: dict[str, dict] = {}


@wrapping.wrap(cloudwatch, "_dispatch_alarm_actions", "alarm", "old_state", "new_state", "reason")
def tell_eventbridge(dispatch, alarm, old_state, new_state, reason):
    arn = alarm["AlarmArn"]
    state = {"value": new_state, "reason": reason, "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime())}
    detail = {
        "alarmName": alarm["AlarmName"],
        "state": state,
        "previousState": told.get(arn, {"value": old_state}),
        "configuration": configuration(alarm),
    }
    told[arn] = state
    event = {
        "Source": "aws.cloudwatch",
        "DetailType": "CloudWatch Alarm State Change",
        "Resources": [arn],
        "Detail": json.dumps(detail),
    }
    put_events({"Entries": [event]}, allow_aws_source=True)
    return dispatch(alarm, old_state, new_state, reason)


def configuration(alarm: dict) -> dict:
    description = {"description": alarm["AlarmDescription"]} if alarm.get("AlarmDescription") else {}
    if "AlarmRule" in alarm:
        return {**description, "alarmRule": alarm["AlarmRule"]}
    metric = {
        "namespace": alarm["Namespace"],
        "name": alarm["MetricName"],
        "dimensions": dimensions_of(alarm.get("Dimensions") or []),
    }
    stat = {"metric": metric, "period": alarm["Period"], "stat": alarm.get("ExtendedStatistic") or alarm["Statistic"]}
    return {**description, "metrics": [{"id": alarm["AlarmName"], "metricStat": stat, "returnData": True}]}


@wrapping.wrap(cloudwatch, "reset")
def forget(reset):
    reset()
    told.clear()
