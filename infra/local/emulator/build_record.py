"""CodeBuild: what is told about a build.

AWS: StartBuild takes overrides of nearly everything in the project, and the build tells what it runs with: variables, limits
of time, source, cache, artifacts, and where its log is: the project's group, or /aws/codebuild/<project>.
ministack 1.5.33: takes no overrides and tells less.
Override: the record of a build.
"""

import contextvars
import copy
import time

from ministack.core.responses import get_account_id, get_region
from ministack.services import codebuild

import build_places
import wrapping

request: "contextvars.ContextVar[dict]" = contextvars.ContextVar("request of StartBuild", default={})
OVERRIDES = {
    "artifactsOverride": "artifacts",
    "cacheOverride": "cache",
    "logsConfigOverride": "logsConfig",
    "timeoutInMinutesOverride": "timeoutInMinutes",
    "sourceVersion": "sourceVersion",
}
SOURCE_OVERRIDES = {"sourceTypeOverride": "type", "sourceLocationOverride": "location", "buildspecOverride": "buildspec"}


@wrapping.wrap(codebuild, "_make_build_record", "project", "build_id", "source_version")
def make_record(make, project, build_id, source_version=None):
    asked = request.get()
    project = copy.deepcopy(project)
    project.update({field: asked[name] for name, field in OVERRIDES.items() if name in asked})
    project["source"].update({field: asked[name] for name, field in SOURCE_OVERRIDES.items() if name in asked})
    variables = {v["name"]: v for v in project["environment"].get("environmentVariables") or []}
    variables.update({v["name"]: {"type": "PLAINTEXT", **v} for v in asked.get("environmentVariablesOverride") or []})
    project["environment"]["environmentVariables"] = list(variables.values())
    build = make(project, build_id, source_version)
    build.pop("endTime")
    if not project.get("sourceVersion"):
        build.pop("sourceVersion")
    build.update(
        startTime=round(time.time(), 3),
        buildComplete=False,
        cache=project.get("cache") or {"type": "NO_CACHE"},
        logs=logs_of(project, build_id),
        serviceRole=project["serviceRole"],
        queuedTimeoutInMinutes=project.get("queuedTimeoutInMinutes", 480),
        exportedEnvironmentVariables=[],
        reportArns=[],
        # ministack removes it, and is not told that it is gone already.
        endTime=None,
    )
    return build


def logs_of(project: dict, build_id: str) -> dict:
    config = (project.get("logsConfig") or {}).get("cloudWatchLogs") or {}
    group = config.get("groupName") or f"/aws/codebuild/{project['name']}"
    stream = "/".join(filter(None, [config.get("streamName"), build_id.rpartition(":")[2]]))
    return {
        "groupName": group,
        "streamName": stream,
        # On AWS the stream in the console.
        "deepLink": f"file://{build_places.log_file(build_id)}",
        "cloudWatchLogsArn": f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:log-stream:{stream}",
        "cloudWatchLogs": {"status": "ENABLED", **config},
        "s3Logs": {"status": "DISABLED"},
    }
