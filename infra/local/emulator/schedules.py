"""EventBridge Scheduler: a schedule fires soon after its time.

AWS: within the minute of its time; here nobody wants to wait.
ministack 1.5.33: looks every ten seconds which schedules are due.
Override: it looks every second. rate, cron and at, and a state machine as target with its Input, work as they are.
Not restored: universal targets (arn:aws:scheduler:::aws-sdk:...), time zones, flexible windows, retries.
"""

from ministack.services import scheduler

import wrapping

if not isinstance(getattr(scheduler, "_SCHEDULE_TICK_INTERVAL", None), int):
    raise wrapping.OverrideDoesNotFit("scheduler._SCHEDULE_TICK_INTERVAL does not exist")
scheduler._SCHEDULE_TICK_INTERVAL = 1
