"""The laptop's AWS: the emulator ministack, corrected where it differs from AWS in ways that matter to Sluice.

Run by infra/local/emulator.ts as `python infra/local/emulator --port N --directory STATE`. Each neighbouring module
restores one behaviour of AWS and says what AWS does, how ministack differs and what it changes, so that it can be
deleted when ministack has caught up. They wrap ministack's functions and copy none of them.
"""

import argparse

import build_places
import call_records
import cloudwatch_minute
import lifetime
import surroundings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True, help="port of 127.0.0.1 to listen on")
    parser.add_argument("--directory", required=True, help="folder for everything that it writes")
    parser.add_argument("--node-modules", required=True, help="where functions that bundle no AWS SDK find one")
    parser.add_argument("--build-cache", required=True, help="folder for the caches of builds, of all instances")
    parser.add_argument(
        "--cloudwatch-minute",
        type=float,
        default=cloudwatch_minute.seconds,
        metavar="SECONDS",
        help="how long a minute of metrics and alarms takes (default: %(default)s)",
    )
    parser.add_argument("--record-calls", metavar="FILE", help="enforce policies, and write here what each role calls")
    options = parser.parse_args()

    # Before ministack is imported: its modules read the environment while they load.
    surroundings.prepare(options.port, options.directory, options.node_modules)
    call_records.prepare(options.record_calls)
    lifetime.end_with_parent()
    build_places.prepare(options.directory, options.build_cache, options.node_modules, options.port)
    cloudwatch_minute.seconds = options.cloudwatch_minute

    # Importing a module puts its override in place. The lock comes first, the rest in any order.
    import queue_lock  # noqa: F401
    import alarms  # noqa: F401
    import batching  # noqa: F401
    import build_projects  # noqa: F401
    import build_task  # noqa: F401
    import builds  # noqa: F401
    import custom_resources  # noqa: F401
    import embedded_metrics  # noqa: F401
    import execution_history  # noqa: F401
    import execution_metrics  # noqa: F401
    import executions_api  # noqa: F401
    import function_errors  # noqa: F401
    import function_metrics  # noqa: F401
    import generated_secrets  # noqa: F401
    import mail_subscriptions  # noqa: F401
    import map_and_parallel  # noqa: F401
    import queue_metrics  # noqa: F401
    import redrive  # noqa: F401
    import schedules  # noqa: F401
    import secret_ref  # noqa: F401
    import service_tasks  # noqa: F401
    import stack_status  # noqa: F401
    import state_fields  # noqa: F401

    if options.record_calls is not None:
        call_records.put_in_place(options.record_calls)

    lifetime.serve(options.port)


if __name__ == "__main__":
    main()
