"""CodeBuild: the buildspec, read and checked.

AWS: YAML or JSON, of version 0.2. A build whose buildspec cannot be read fails in DOWNLOAD_SOURCE with YAML_FILE_ERROR.
https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
ministack 1.5.33: reads no buildspec itself.
Here: what Sluice uses of it. What is not acted upon is named in the build's log.
"""

import dataclasses
import json

import yaml

from build_phases import PhaseFailed

PHASES = ("install", "pre_build", "build", "post_build")
NOT_ACTED_UPON = {
    "": ("run-as", "proxy", "batch"),
    "env": ("parameter-store", "git-credential-helper"),
    "phases": ("run-as", "on-failure", "runtime-versions"),
    "artifacts": ("secondary-artifacts", "name", "exclude-paths", "enable-symlinks", "s3-prefix"),
    "cache": ("key", "fallback-keys", "action"),
}


class SpecError(PhaseFailed):
    """In AWS's words where they are known."""

    def __init__(self, message: str) -> None:
        super().__init__("YAML_FILE_ERROR", message)


@dataclasses.dataclass
class Spec:
    shell: str
    variables: "dict[str, str]"
    secrets: "dict[str, str]"
    exported: "list[str]"
    # Of each phase: its commands, and those of `finally`.
    phases: "dict[str, tuple[list[str], list[str]]]"
    artifacts: "dict | None"
    cache_paths: "list[str]"
    reports: "dict[str, dict]"
    ignored: "list[str]"


def read(text: str) -> Spec:
    content = mapping(parse(text), "buildspec")
    if str(content.get("version")) != "0.2":
        raise SpecError(f"unknown buildspec version {content.get('version')}: this emulator knows 0.2")
    env = mapping(content.get("env"), "env")
    shell = env.get("shell") or "sh"
    if shell not in ("bash", "sh", "/bin/bash", "/bin/sh"):
        raise SpecError(f"invalid shell {shell}: this emulator knows bash and sh")
    phases = mapping(content.get("phases"), "phases")
    if not phases:
        raise SpecError("phases: at least one is required")
    unknown = [name for name in phases if name not in PHASES]
    if unknown:
        raise SpecError(f"unknown phase {', '.join(unknown)}")
    ignored = list(ignored_fields("", content)) + list(ignored_fields("env", env))
    for name in phases:
        ignored += ignored_fields(f"phases/{name}", mapping(phases[name], name))
    for name in ("artifacts", "cache"):
        ignored += ignored_fields(name, mapping(content.get(name), name))
    return Spec(
        shell=shell.rpartition("/")[2],
        variables={name: text_of(value) for name, value in mapping(env.get("variables"), "env/variables").items()},
        secrets={name: text_of(value) for name, value in mapping(env.get("secrets-manager"), "env/secrets-manager").items()},
        exported=texts(env.get("exported-variables"), "exported-variables"),
        phases={
            name: (texts((phases[name] or {}).get("commands"), "Commands"), texts((phases[name] or {}).get("finally"), "Finally"))
            for name in phases
        },
        artifacts=mapping(content["artifacts"], "artifacts") if content.get("artifacts") else None,
        cache_paths=texts(mapping(content.get("cache"), "cache").get("paths"), "Paths"),
        reports={name: mapping(group, name) for name, group in mapping(content.get("reports"), "reports").items()},
        ignored=ignored,
    )


def parse(text: str):
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            pass  # YAML may begin with a brace too
    try:
        # Everything stays the text that it is: `yes` is not `true`, 0.20 not 0.2.
        return yaml.load(text, yaml.BaseLoader)  # noqa: S506
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise SpecError(f"{getattr(error, 'problem', None) or error}{where}") from None


def mapping(value, where: str) -> dict:
    if value in (None, ""):
        return {}
    if not isinstance(value, dict):
        raise SpecError(f"{where}: expected a mapping, found {type(value).__name__}")
    return value


def texts(value, where: str) -> "list[str]":
    """Of a list, or of a text with one a line."""
    if isinstance(value, str):
        return [line for line in value.splitlines() if line.strip()]
    if value is not None and not isinstance(value, list):
        raise SpecError(f"Expected {where} to be of list type")
    for index, item in enumerate(value or []):
        if isinstance(item, (dict, list)):
            raise SpecError(f"Expected {where}[{index}] to be of string type: found subkeys instead")
    return [text_of(item) for item in value or []]


def text_of(value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def is_yes(value) -> bool:
    return str(value).lower() in ("yes", "true")


def ignored_fields(where: str, fields: dict):
    names = NOT_ACTED_UPON[where.partition("/")[0]]
    return (f"{where}/{name}".lstrip("/") for name in names if name in fields)
