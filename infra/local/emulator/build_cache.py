"""CodeBuild: the cache of a build.

AWS: of type S3, `bucket/prefix`: the files of the buildspec's cache paths are stored as an archive when a build has
succeeded, and are there before the first command of the next.
ministack 1.5.33: no cache.
Here: an archive beside the instances rather than in S3, so that the first build after a start is quick too. Several clouds may
share it: it is replaced as a whole, and whoever reads it goes on reading the one before. What was not changed is not stored
again, and is handed to the next build as it is (see build_cache_ready.py).
Not restored: local caches, keys.
"""

import os
import pathlib
import subprocess
import time
import uuid

import build_cache_ready
import build_places
from build_files import Say, is_outside, matching

ARCHIVE = "cache.tar"
# Longer than any cache takes to be written.
ABANDONED_SECONDS = 3600


class Cache:
    def __init__(self, config: dict, patterns: "list[str]", folder: str, say: Say) -> None:
        self._patterns, self._folder, self._say = patterns, folder, say
        is_used = config.get("type") == "S3" and config.get("location") and patterns
        parts = [part for part in config.get("location", "").split("/") if part not in ("", ".", "..")]
        self._place = os.path.join(build_places.cache, *parts) if is_used else None
        # The files when they were as in the archive, and which archive that is.
        self._archived: "set[tuple] | None" = None
        self._version = ""

    def restore(self) -> None:
        if self._place is None:
            return
        for pattern in filter(is_outside, self._patterns):
            self._say(f"The cache path {pattern} is outside of the source and left out on this machine")
        started = time.monotonic()
        self._version = build_cache_ready.version_of(self._archive)
        if not self._version:
            self._say("No cache to restore")
            return
        if not build_cache_ready.claim(self._place, self._version, self._folder) and not self._unpack():
            return
        self._archived = self._files()
        self._say(f"Restored {len(self._archived)} files from the cache in {time.monotonic() - started:.1f} s")

    def save(self) -> None:
        if self._place is None:
            return
        started = time.monotonic()
        files = self._files()
        if files == self._archived:
            self._say("The cache is unchanged")
            return
        self._archived = None
        if self._pack([file[0] for file in files]):
            self._archived = files
            build_cache_ready.remove_others(self._place, self._version)
            self._say(f"Saved {len(files)} files to the cache in {time.monotonic() - started:.1f} s")

    def hand_on(self) -> None:
        """When the build has ended, with all its processes."""
        if self._place is not None and self._archived and self._files() == self._archived:
            build_cache_ready.keep(self._place, self._version, self._patterns, self._folder)

    @property
    def _archive(self) -> str:
        return os.path.join(self._place or "", ARCHIVE)

    def _files(self) -> "set[tuple]":
        """Told apart from changed ones by size, time and mode."""
        names = {name for pattern in self._patterns for name in matching(self._folder, pattern)}
        found = set()
        for name in names:
            status = os.lstat(os.path.join(self._folder, name))
            found.add((name, status.st_size, status.st_mtime_ns, status.st_mode))
        return found

    def _unpack(self) -> bool:
        with open(self._archive, "rb") as file:
            done = subprocess.run(["tar", "-xf", "-", "-C", self._folder], stdin=file, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            self._say(f"The cache could not be restored: {done.stderr.decode(errors='replace').strip()}")
        return done.returncode == 0

    def _pack(self, names: "list[str]") -> bool:
        os.makedirs(self._place, exist_ok=True)
        remove_abandoned(self._place)
        draft = f"{self._archive}.{uuid.uuid4().hex}"
        done = subprocess.run(
            ["tar", "-cf", draft, "-C", self._folder, "--null", "-T", "-"],
            env={**os.environ, "COPYFILE_DISABLE": "1"},  # no files of macOS's own
            # "./": a name may begin with a dash.
            input=b"".join(os.fsencode(f"./{name}") + b"\0" for name in sorted(names)),
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode == 0:
            self._version = build_cache_ready.version_of(draft)  # soon there may be one of another cloud
            os.replace(draft, self._archive)
            return True
        self._say(f"The cache could not be saved: {done.stderr.decode(errors='replace').strip()}")
        pathlib.Path(draft).unlink(missing_ok=True)
        return False


def remove_abandoned(place: str) -> None:
    """Drafts of clouds that were killed while they wrote."""
    for draft in pathlib.Path(place).glob(f"{ARCHIVE}.*"):
        try:
            if time.time() - draft.stat().st_mtime > ABANDONED_SECONDS:
                draft.unlink()
        except FileNotFoundError:
            pass  # another cloud was quicker
