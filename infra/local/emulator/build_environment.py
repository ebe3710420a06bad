"""CodeBuild: the variables that a build sees.

AWS: those of the buildspec, over them those of the project, over them those of StartBuild; of type SECRETS_MANAGER the value
is `secret:json-key:version-stage:version-id`, and a build whose secret or key does not exist fails in DOWNLOAD_SOURCE.
Besides, CODEBUILD_* and the region and credentials of its role.
https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
ministack 1.5.33: hands on the values as they are.
Here: nothing of the emulator's own environment but the basics of this machine. AWS_ENDPOINT_URL leads to this emulator.
"""

import json
import os
import re

from ministack.core.responses import get_region
from ministack.services import secretsmanager

import build_places
import wrapping
from build_phases import PhaseFailed

get_secret_value = wrapping.require(secretsmanager, "_get_secret_value", "data")
PASSED_ON = ("HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SecretError(PhaseFailed):
    def __init__(self, message: str) -> None:
        super().__init__("Secrets Manager Error", message)


def basics(build: dict, source: str, temporary: str) -> "dict[str, str]":
    region = get_region()
    return {
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        "PATH": build_places.search_path(),
        "TMPDIR": temporary,
        # Output is seen when it is written, not when the program ends.
        "PYTHONUNBUFFERED": "1",
        # The source is no part of the repository that it happens to lie in here.
        "GIT_CEILING_DIRECTORIES": os.path.dirname(source),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": build_places.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        # Nothing of the developer's own AWS set-up may lead a build to real AWS.
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "CI": "true",
        "CODEBUILD_BUILD_ID": build["id"],
        "CODEBUILD_BUILD_ARN": build["arn"],
        "CODEBUILD_BUILD_NUMBER": str(build["buildNumber"]),
        "CODEBUILD_BUILD_IMAGE": str(build["environment"].get("image", "")),
        "CODEBUILD_INITIATOR": build["initiator"],
        "CODEBUILD_LOG_PATH": build["logs"]["streamName"],
        "CODEBUILD_SRC_DIR": source,
        "CODEBUILD_START_TIME": str(int(build["startTime"] * 1000)),
        "CODEBUILD_SOURCE_VERSION": str(build.get("sourceVersion", "")),
    }


def declared(build: dict, variables: "dict[str, str]", secrets: "dict[str, str]", hide) -> "dict[str, str]":
    """What buildspec, project and caller ask for. `build` has the caller's over the project's; `hide` is told each secret."""
    types = {**dict.fromkeys(variables, "PLAINTEXT"), **dict.fromkeys(secrets, "SECRETS_MANAGER")}
    values = {**variables, **secrets}
    for variable in build["environment"].get("environmentVariables") or []:
        values[variable["name"]] = str(variable.get("value", ""))
        types[variable["name"]] = variable.get("type") or "PLAINTEXT"
    for name, value in values.items():
        if not NAME.fullmatch(name):
            raise PhaseFailed("CLIENT_ERROR", f"{name!r} is not a name of an environment variable")
        if types[name] == "SECRETS_MANAGER":
            values[name] = secret(value)
            hide(values[name])
        elif types[name] != "PLAINTEXT":
            raise PhaseFailed("CLIENT_ERROR", f"{name} has the type {types[name]}, which this emulator does not know")
    return values


def secret(reference: str) -> str:
    parts = reference.split(":")
    # An ARN has six colons of its own.
    length = 7 if reference.startswith("arn:") else 1
    key, stage, version = [*parts[length:], "", "", ""][:3]
    asked = {"SecretId": ":".join(parts[:length])}
    asked.update({"VersionStage": stage} if stage else {}, **({"VersionId": version} if version else {}))
    status, _headers, body = get_secret_value(asked)
    answer = json.loads(body)
    if status != 200:
        raise SecretError(f"{answer['__type']}: {answer['message']} ({reference})")
    text = answer.get("SecretString", "")
    if not key:
        return text
    try:
        value = json.loads(text)[key]
    except (ValueError, KeyError, TypeError):
        raise SecretError(f"the secret has no JSON key {key} ({reference})") from None
    return value if isinstance(value, str) else json.dumps(value)
