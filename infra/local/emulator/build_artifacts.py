"""CodeBuild: the artifacts of a build.

AWS: of type S3, the files that the buildspec names are uploaded below path/build id/name, each alone or as one ZIP file; after
a failed build too, if they are there. When none is there a build that had succeeded fails.
ministack 1.5.33: uploads nothing.
Not restored: secondary artifacts, names from the buildspec, encryption.
"""

import hashlib
import io
import os
import zipfile

from ministack.services import s3

import build_spec
import wrapping
from build_files import Say, matching
from build_phases import PhaseFailed

put_object = wrapping.require(s3, "_put_object", "bucket_name", "key", "body", "headers")


def upload(build: dict, spec: "dict | None", source: str, say: Say) -> bool:
    """Whether there should have been files and were none."""
    target = build["artifacts"]
    if target.get("type") != "S3" or spec is None:
        return False
    base = os.path.normpath(os.path.join(source, str(spec.get("base-directory") or ".")))
    patterns = build_spec.texts(spec.get("files"), "Files")
    paths = sorted({path for pattern in patterns for path in matching(base, pattern)}) if os.path.isdir(base) else []
    say(f"Found {len(paths)} file(s)")
    if not paths:
        say("no matching artifact paths found")
        return True
    is_flat = build_spec.is_yes(spec.get("discard-paths"))
    files = {os.path.basename(path) if is_flat else path: os.path.join(base, path) for path in paths}
    bucket = target["location"].removeprefix("arn:aws:s3:::").strip("/")
    prefix = prefix_of(build)
    if target.get("packaging") == "ZIP":
        content = zipped(files)
        put(bucket, prefix, content)
        sums = {"sha256sum": hashlib.sha256(content).hexdigest(), "md5sum": hashlib.md5(content).hexdigest()}
    else:
        sums = {}
        for name, path in files.items():
            with open(path, "rb") as file:
                put(bucket, f"{prefix}/{name}".lstrip("/"), file.read())
    build["artifacts"] = {**target, "location": f"arn:aws:s3:::{bucket}/{prefix}".rstrip("/"), **sums}
    return False


def prefix_of(build: dict) -> str:
    target = build["artifacts"]
    namespace = build["id"].rpartition(":")[2] if target.get("namespaceType") == "BUILD_ID" else ""
    name = target.get("name") or build["projectName"]
    return "/".join(part for part in ((target.get("path") or "").strip("/"), namespace, name.strip("/")) if part)


def zipped(files: "dict[str, str]") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files.items():
            archive.write(path, name)
    return content.getvalue()


def put(bucket: str, key: str, content: bytes) -> None:
    status, _headers, body = put_object(bucket, key, content, {})
    if status != 200:
        raise PhaseFailed("CLIENT_ERROR", f"{bucket}/{key} could not be written: {body!r}")
