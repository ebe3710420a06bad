"""CodeBuild: a build from its start to its end.

AWS: the phases in their order, each with its status, its duration and what went wrong. A failed command ends its phase; a
failed install or pre_build ends the build, after a failed build post_build still runs, and `finally` always does. Artifacts
and reports are uploaded whenever post_build was reached. What runs too long is TIMED_OUT.
https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details.html#view-build-details-phases
ministack 1.5.33: hands the build to CodeBuild's agent in a Docker container.
Here: the commands run as processes of this machine.
"""

import os
import shutil
import threading
import time
from typing import Callable

import build_artifacts
import build_environment
import build_places
import build_reports
import build_source
import build_spec
from build_cache import Cache
from build_log import BuildLog
from build_phases import PhaseFailed, Phases, changing
from build_shell import Killed, Shell


class Over(Exception):
    """The build has no further phase of its own."""


class BuildRun:
    def __init__(self, build: dict, tell: Callable[[dict], None]) -> None:
        self.build, self._tell = build, tell
        self.ended = threading.Event()
        self._stopped = False
        self._shell: "Shell | None" = None
        self._folder = build_places.work_folder(build["id"])
        self._source = os.path.join(self._folder, "src")
        self._deadline = time.monotonic() + float(build["timeoutInMinutes"]) * 60
        self._status = "SUCCEEDED"
        self._log = BuildLog(build)
        self._phases = Phases(build, self._log)

    def stop(self) -> None:
        with changing:
            self._stopped = True
            if self._shell is not None:
                self._shell.kill()

    def go(self) -> None:
        try:
            for folder in (self._source, os.path.join(self._folder, "tmp")):
                os.makedirs(folder)
            self._phase("QUEUED")
            self._phase("PROVISIONING")
            self._phase("DOWNLOAD_SOURCE", self._download)
            for name in build_spec.PHASES:
                self._phase(name.upper(), lambda: self._run_commands(name), is_last=name in ("install", "pre_build"))
            self._phase("UPLOAD_ARTIFACTS", self._upload)
        except Over:
            pass
        except Exception as error:  # a mistake of the emulator
            self._status = "FAULT"
            self._log.say(f"INTERNAL_SERVICE_ERROR: {error!r}")
            raise
        finally:
            self._finish()

    def _phase(self, name: str, act: Callable[[], None] = lambda: None, is_last: bool = True) -> None:
        """`is_last`: when it fails, none follows."""
        self._phases.begin(name)
        failure = None
        try:
            act()
        except PhaseFailed as error:
            failure = error
        except TimeoutError:
            failure = PhaseFailed("BUILD_TIMED_OUT", "Build has timed out. ", "TIMED_OUT")
        except Killed:
            failure = PhaseFailed("COMMAND_EXECUTION_ERROR", "The processes of the build were killed")
        if self._stopped:
            failure = PhaseFailed("", "", "STOPPED")
        self._phases.end(failure)
        if failure is None:
            return
        if self._status == "SUCCEEDED" or failure.status != "FAILED":
            self._status = failure.status
        if is_last or failure.status != "FAILED":
            raise Over

    def _download(self) -> None:
        build, source = self.build, self.build["source"]
        for line in ("Waiting for agent ping", "Waiting for DOWNLOAD_SOURCE", "Phase is DOWNLOAD_SOURCE"):
            self._log.say(line)
        self._log.say(f"CODEBUILD_SRC_DIR={self._source}")
        build_source.download(source, build.get("sourceVersion"), self._source)
        self._spec = build_spec.read(build_source.buildspec(source, self._source))
        variables = build_environment.declared(build, self._spec.variables, self._spec.secrets, self._log.hide)
        for field in self._spec.ignored:
            self._log.say(f"{field} of the buildspec is not acted upon on this machine")
        self._cache = Cache(build["cache"], self._spec.cache_paths, self._source, self._log.say)
        self._cache.restore()
        variables = {**build_environment.basics(build, self._source, os.path.join(self._folder, "tmp")), **variables}
        with changing:
            if not self._stopped:
                shell = self._spec.shell
                self._shell = Shell(self._folder, shell, self._source, variables, self._log.write, self._log.say)

    def _run_commands(self, name: str) -> None:
        if name not in self._spec.phases:
            return
        self._log.say(f"Entering phase {name.upper()}")
        variables = {"CODEBUILD_BUILD_SUCCEEDING": "1" if self._status == "SUCCEEDED" else "0"}
        failure = None
        for commands in self._spec.phases[name]:
            status, command = self._shell.run(commands, variables, self._deadline) if commands else (0, "")
            if status != 0:
                self._log.say(f"Command did not exit successfully {command} exit status {status}")
                reason = f"Error while executing command: {command}. Reason: exit status {status}"
                failure = failure or PhaseFailed("COMMAND_EXECUTION_ERROR", reason)
        if failure is not None:
            raise failure

    def _upload(self) -> None:
        build, spec = self.build, self._spec
        values = self._shell.values(spec.exported, self._deadline) if spec.exported else {}
        with changing:
            build["exportedEnvironmentVariables"] = [{"name": name, "value": values[name]} for name in spec.exported]
        build["reportArns"] = build_reports.upload(build, spec.reports, self._source, self._log.say)
        is_missing = build_artifacts.upload(build, spec.artifacts, self._source, self._log.say)
        if self._status == "SUCCEEDED":
            self._cache.save()
        if is_missing and self._status == "SUCCEEDED":
            raise PhaseFailed("CLIENT_ERROR", "no matching artifact paths found")

    def _finish(self) -> None:
        try:
            if self._shell is not None:
                self._shell.close()
                self._cache.hand_on()
        finally:
            self._phases.finish(self._status)
            self._log.close()
            self.ended.set()
            self._tell(self.build)
            # Of thousands of files this takes a while, and nobody needs to wait for it.
            shutil.rmtree(self._folder, ignore_errors=True)
