"""Lambda: an error has the name it was thrown with, and a function that dies or fails to load says so.

AWS: the payload of a failed invocation has errorType (the error's `name`), errorMessage and trace; Step Functions
matches ErrorEquals of a Task against errorType. A module that throws while it loads is reported in the function's log.
A process that ends is Runtime.ExitError; one that exceeds its time is Sandbox.Timedout, in older accounts Lambda.Unknown.
ministack 1.5.33: errorType is Runtime.HandlerError for every Node.js error, without trace, so no Retry or Catch by name
ever matches; a failure to load is Python's RuntimeError, and its stack appears nowhere. Sandbox.Timedout is right.
Override: the Node.js worker script also reports name and stack; they are put into the result. So is the end of a process.
Not restored: Runtime.OutOfMemory. Nothing limits a function's memory here, so that has to be tried on AWS.
"""

import re
import signal
import threading

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

import wrapping

SCRIPT = "_NODEJS_WORKER_SCRIPT"


def report_more(script: str) -> str:
    for old, new in (
        # An asynchronous handler that rejects, or an error given to a callback.
        (
            'status: "error", error: String(err.message || err), trace: err.stack || ""',
            'status: "error", errorType: String((err && err.name) || typeof err), '
            'error: String(err.message || err), trace: err.stack || ""',
        ),
        # A handler that throws before it returns a promise.
        (
            'status: "error", error: e.message, trace: e.stack',
            'status: "error", errorType: String((e && e.name) || typeof e), error: e.message, trace: e.stack',
        ),
        # The module cannot be loaded. ministack hands on nothing but the message.
        ('status: "error", error: e.message\n', 'status: "error", error: e.stack || String(e)\n'),
    ):
        script = wrapping.replace_once(script, old, new, f"lambda_runtime.{SCRIPT}")
    return script


setattr(lambda_runtime, SCRIPT, report_more(getattr(lambda_runtime, SCRIPT, "")))

invocation = threading.local()


@wrapping.wrap(lambda_runtime.Worker, "invoke", "self", "event", "request_id")
def note_result(invoke, *arguments, **named):
    invocation.exit_code = None
    invocation.result = invoke(*arguments, **named)
    return invocation.result


@wrapping.wrap(lambda_runtime, "_collect", "proc", "deadline")
def note_exit_code(collect, proc, deadline):
    collect(proc, deadline)
    invocation.exit_code = proc.returncode if proc is not None else None


# What ministack says when the process ended, or was ending while it got the event.
PROCESS_ENDED = ("Worker process died", "[Errno 32] Broken pipe")


def runtime_exited(exit_code: "int | None") -> str:
    if exit_code == -signal.SIGKILL:
        return "Runtime exited with error: signal: killed"
    if exit_code and exit_code > 0:
        return f"Runtime exited with error: exit status {exit_code}"
    return "Runtime exited without providing a reason"


LOAD_FAILED = re.compile(r"Worker init failed: (?P<stack>(?P<name>[\w$.]+)(?: \[(?P<code>\w+)\])?: (?P<message>.*)(?s:.*))")
NOT_FOUND = ("MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND", "Cannot find module")


@wrapping.wrap(lambda_svc, "_execute_function_warm", "func", "event", "request_id")
def name_the_error(execute, func, event, request_id):
    invocation.result = {}
    outcome = execute(func, event, request_id)
    body = outcome.get("body")
    if not outcome.get("error") or not isinstance(body, dict):
        return outcome
    reported = invocation.result
    if reported.get("errorType"):
        body.update(errorType=reported["errorType"], trace=(reported.get("trace") or "").split("\n"))
    elif reported.get("error") in PROCESS_ENDED:
        message = f"RequestId: {request_id} Error: {runtime_exited(invocation.exit_code)}"
        body.update(errorType="Runtime.ExitError", errorMessage=message)
    elif failed_load := LOAD_FAILED.match(str(body.get("errorMessage", ""))):
        is_missing = failed_load["code"] in NOT_FOUND or failed_load["message"].startswith(NOT_FOUND)
        body.update(
            errorType="Runtime.ImportModuleError" if is_missing else failed_load["name"],
            errorMessage=failed_load["message"],
            trace=failed_load["stack"].split("\n"),
        )
        outcome["log"] = failed_load["stack"]
    elif not outcome.get("log"):
        outcome["log"] = str(body.get("errorMessage", ""))
    return outcome
