"""CodeBuild: the source of a build.

AWS: of type S3 a ZIP file, `bucket/key` or its ARN, unpacked into a fresh folder; of type NO_SOURCE an empty folder and an
inline buildspec. The buildspec is the project's own text, or a path in the source, buildspec.yml if none is given.
ministack 1.5.33: fetches no source.
Not restored: folders of S3, GitHub and the like, secondary sources.
"""

import io
import os
import zipfile

from ministack.services import s3

import build_spec
import wrapping
from build_phases import PhaseFailed

get_object = wrapping.require(s3, "_get_object_data", "bucket_name", "key", "version_id")
DEFAULT_BUILDSPEC = "buildspec.yml"


class SourceError(PhaseFailed):
    def __init__(self, message: str) -> None:
        super().__init__("CLIENT_ERROR", message)


def download(source: dict, version: "str | None", folder: str) -> None:
    kind = source.get("type") or "NO_SOURCE"
    if kind == "NO_SOURCE":
        return
    if kind != "S3":
        raise SourceError(f"this emulator knows no source of type {kind}")
    location = source.get("location", "")
    bucket, _, key = location.removeprefix("arn:aws:s3:::").partition("/")
    content = get_object(bucket, key, version or None)
    if content is None:
        raise SourceError(f"NoSuchKey: The specified key does not exist ({location})")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                path = archive.extract(entry, folder)
                # Python leaves out who may read, write and run.
                mode = entry.external_attr >> 16 & 0o777
                if mode:
                    os.chmod(path, mode | (0o700 if entry.is_dir() else 0o600))
    except zipfile.BadZipFile as error:
        raise SourceError(f"{location} is not a ZIP file: {error}") from None


def buildspec(source: dict, folder: str) -> str:
    """The text. What has more than one line, or is JSON, is no path."""
    given = source.get("buildspec") or DEFAULT_BUILDSPEC
    if "\n" in given or given.lstrip().startswith("{"):
        return given
    path = os.path.join(folder, given)
    if not os.path.isfile(path):
        missing = "YAML file does not exist" if given == DEFAULT_BUILDSPEC else f"stat {path}: no such file or directory"
        raise build_spec.SpecError(missing)
    with open(path, encoding="utf-8") as file:
        return file.read()
