"""How the emulator ends: at once, whole, and never after its parent.

ministack turns SIGTERM into an ordinary shutdown, which waits for threads; one that waits for a custom resource holds
it for an hour. And the processes in which it runs functions outlive it when they have something open, such as a
connection pool. So the emulator leads a process group, and to end is to kill the group: nothing in it needs saving.
"""

import asyncio
import os
import signal
import sys
import threading


def end(reason: str) -> None:
    print(f"Emulator ends: {reason}.", flush=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def end_with_parent() -> None:
    """Makes this process the leader of its group and ties it to its standard input, which the parent holds open."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: end(f"received {signal.Signals(received).name}"))

    def wait_for_end_of_input() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        end("the process that started it is gone")

    threading.Thread(target=wait_for_end_of_input, daemon=True, name="parent-watch").start()


def serve(port: int) -> None:
    """Serves ministack's ASGI application. ministack's own main() is not used: it brings the shutdown described above."""
    from hypercorn.asyncio import serve as serve_forever
    from hypercorn.config import Config
    from ministack import app

    raise_open_files_limit()
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    # As in ministack's main(). A server that closes idle connections before the client does makes requests fail.
    config.keep_alive_timeout = 75

    async def never() -> None:
        await asyncio.Event().wait()

    # With a trigger of our own hypercorn installs no signal handlers.
    asyncio.run(serve_forever(app.app, config, shutdown_trigger=never))


def raise_open_files_limit() -> None:
    """A burst of clients needs more than the usual soft limit of 1,024, on macOS 256."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
