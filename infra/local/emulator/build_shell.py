"""CodeBuild: the processes of a build.

AWS: all commands of a build run in the same instance of the shell, so the directory and what was exported carry over from
phase to phase, and a process in the background lives until the build ends. When a build is stopped, its container is gone.
Here: one shell a phase, which leaves its directory and its exported variables to the next. All are children of one driver,
the leader of a process group; to end a build is to kill the group. The driver does that itself when the emulator is gone.
Not restored: variables that are not exported end with their phase; a process that leaves the group (setsid) is not ended.
"""

import os
import queue
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import threading
import time
from typing import Callable

# Reads the names of scripts and runs each. Its standard input is its tie to the emulator. (In the background, or it would
# not notice the end of its input while a script runs.)
DRIVER = """
while read -r script; do
  { env -i "$2" "$script"; echo "$1 ended $?"; } </dev/null &
done
kill -KILL 0
"""
SCRIPT = """\
. {environment}
cd "$(cat {directory})"
_keep_for_next_phase() {{ export -p > {environment}; pwd > {directory}; }}
trap _keep_for_next_phase EXIT
"""
# eval, so that a mistake in one command's syntax is this command's failure. After `set -x` the lines around it would be
# traced too, were it not for /dev/null.
COMMAND = """\
{{ echo "{marker} runs {index}"; }} 2>/dev/null
eval {command}
{{ _last=$?; export CODEBUILD_LAST_EXIT=$_last; _keep_for_next_phase; [ $_last -eq 0 ] || exit $_last; }} 2>/dev/null
"""
EVENT = re.compile(r" (runs|ended) (\d+)")


class Killed(Exception):
    """The processes were ended from outside."""


Write = Callable[[str], None]


class Shell:
    def __init__(self, folder: str, program: str, cwd: str, variables: "dict[str, str]", write: Write, say: Write) -> None:
        self._environment, self._directory = os.path.join(folder, "environment"), os.path.join(folder, "directory")
        self._script = os.path.join(folder, "phase")
        self._write, self._say = write, say
        self._marker = f"\x1e{secrets.token_hex(8)}"
        self._commands: list[str] = []
        self._running = 0
        self._ended: "queue.SimpleQueue[int | None]" = queue.SimpleQueue()
        with open(os.open(self._environment, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
        with open(self._directory, "w") as file:
            file.write(cwd)
        self._driver = subprocess.Popen(
            ["sh", "-c", DRIVER, "sh", self._marker, shutil.which(program) or f"/bin/{program}"],
            cwd=cwd,
            env={"PATH": os.environ.get("PATH", os.defpath)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True, name="build-output").start()

    def run(self, commands: "list[str]", variables: "dict[str, str]", deadline: float, quiet: bool = False) -> "tuple[int, str]":
        """Exit status of the last command that was run, and that command."""
        self._commands, self._running, self._is_quiet = commands, 0, quiet
        paths = {"environment": shlex.quote(self._environment), "directory": shlex.quote(self._directory)}
        with open(self._script, "w") as file:
            file.write(SCRIPT.format(**paths))
            file.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
            for index, command in enumerate(commands):
                file.write(COMMAND.format(marker=self._marker, index=index, command=shlex.quote(command)))
        try:
            self._driver.stdin.write(f"{self._script}\n".encode())
            self._driver.stdin.flush()
            status = self._ended.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise TimeoutError from None
        except OSError:
            raise Killed from None
        if status is None:
            raise Killed
        return status, commands[self._running]

    def values(self, names: "list[str]", deadline: float) -> "dict[str, str]":
        """Of exported variables as the phases left them."""
        target = f"{self._script}-values"
        read = "".join(f"printf '%s\\0' \"${{{name}-}}\"; " for name in names)
        self.run([f"{{ {read}}} > {shlex.quote(target)}"], {}, deadline, quiet=True)
        with open(target) as file:
            return dict(zip(names, file.read().split("\0")))

    def kill(self) -> None:
        """Before the driver is waited for: until then nobody else can have its id."""
        if self._driver.returncode is None:
            try:
                os.killpg(self._driver.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._ended.put(None)

    def close(self) -> None:
        self.kill()
        self._driver.wait()
        self._driver.stdin.close()

    def _read(self) -> None:
        rest = b""
        with self._driver.stdout as output:
            while chunk := os.read(output.fileno(), 65536):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._take(line.decode("utf-8", "replace").rstrip("\r"))
        if rest:
            self._take(rest.decode("utf-8", "replace"))
        self._ended.put(None)

    def _take(self, line: str) -> None:
        output, marker, text = line.partition(self._marker)
        event = EVENT.fullmatch(text)
        if output or not event:
            self._write(output if event else line)
        if not event:
            return
        if event[1] == "runs":
            self._running = int(event[2])
            if not self._is_quiet:
                self._say(f"Running command {self._commands[self._running].rstrip()}")
        else:
            self._ended.put(int(event[2]))
