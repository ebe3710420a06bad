"""CodeBuild: what a build writes, in CloudWatch Logs and in a file.

AWS: one stream a build, lines of CodeBuild's own with "[Container]" and the time; values that came from Secrets Manager are
replaced by ***.
ministack 1.5.33: can write to the stream.
Here: both, and the same lines in builds/<id>/build.log of the instance, which stays for whoever wonders what happened.
"""

import os
import threading
import time

from ministack.services import codebuild

import build_places
import wrapping

open_stream = wrapping.require(codebuild, "_log_sink", "build")
MASK = "***"
# As in a stream of CloudWatch Logs: 256 KiB, with what a line's own record takes.
LINE_LIMIT_CHARACTERS = 256 * 1024 - 26


class BuildLog:
    def __init__(self, build: dict) -> None:
        self._emit = open_stream(build)
        path = build_places.log_file(build["id"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._file = open(path, "w", encoding="utf-8", buffering=1)
        self._lock = threading.Lock()
        self._secrets: list[str] = []

    def hide(self, secret: str) -> None:
        """Of a secret with several lines, each alone."""
        self._secrets = sorted({*self._secrets, *(line for line in secret.splitlines() if line.strip())}, key=len, reverse=True)

    def masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def write(self, line: str) -> None:
        """A line of a command's output."""
        line = self.masked(line)[:LINE_LIMIT_CHARACTERS]
        with self._lock:
            if not self._file.closed:
                self._file.write(line + "\n")
                self._emit(line)

    def say(self, line: str) -> None:
        """A line of CodeBuild's own."""
        self.write(f"[Container] {time.strftime('%Y/%m/%d %H:%M:%S', time.gmtime())} {line}".rstrip())

    def close(self) -> None:
        with self._lock:
            self._file.close()
