"""CodeBuild: the phases of a build as they are told.

AWS: each has its status, its times and, when it failed, a code and a message, in the build and in its log; FINALIZING and
COMPLETED come in any case. https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BuildPhase.html
ministack 1.5.33: status and times only.
"""

import threading
import time

from build_log import BuildLog

# Held while the record of a build changes, and while one is told.
changing = threading.RLock()
# Before there is a container that could write a log.
UNLOGGED = ("QUEUED", "PROVISIONING")


class PhaseFailed(Exception):
    def __init__(self, code: str, message: str, status: str = "FAILED") -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class Phases:
    def __init__(self, build: dict, log: BuildLog) -> None:
        self._build, self._log = build, log

    def begin(self, name: str) -> None:
        with changing:
            self._build["currentPhase"] = name
            # ministack has begun QUEUED.
            others = [phase for phase in self._build["phases"] if phase["phaseType"] != name]
            self._build["phases"] = [*others, {"phaseType": name, "startTime": now()}]

    def end(self, failure: "PhaseFailed | None") -> None:
        status = failure.status if failure else "SUCCEEDED"
        code, message = (failure.code, self._log.masked(failure.message)) if failure else ("", "")
        with changing:
            name, started = self._build["phases"][-1]["phaseType"], self._build["phases"][-1]["startTime"]
            self._build["phases"][-1] = {
                "phaseType": name,
                "phaseStatus": status,
                "startTime": started,
                "endTime": now(),
                "durationInSeconds": round(now() - started),
                "contexts": [{"statusCode": code, "message": message}],
            }
        if name not in UNLOGGED:
            self._log.say(f"Phase complete: {name} State: {status}")
            self._log.say(f"Phase context status code: {code} Message: {message}")

    def finish(self, status: str) -> None:
        with changing:
            finalizing = {"phaseType": "FINALIZING", "phaseStatus": "SUCCEEDED", "startTime": now(), "endTime": now()}
            finalizing.update(durationInSeconds=0, contexts=[{"statusCode": "", "message": ""}])
            self._build["phases"] += [finalizing, {"phaseType": "COMPLETED", "startTime": now()}]
            self._build.update(buildStatus=status, currentPhase="COMPLETED", buildComplete=True, endTime=now())


def now() -> float:
    return round(time.time(), 3)
