"""CodeBuild: what a cache has is handed from build to build, as far as it is unchanged.

AWS: every build unpacks the archive, in a container with a disk of its own.
Here: unpacking and deleting thousands of files takes seconds on a laptop that is busy. So the folders of cache paths of the
form `folder/**/*` are moved out of a build that left them as they are in the archive, and into the next one. To move is
atomic: of two builds one gets them, and the other unpacks the archive.
"""

import os
import pathlib
import shutil
import uuid

from build_files import tree_of

# For builds at the same time, of several clouds.
KEPT_AT_MOST = 2


def version_of(archive: str) -> str:
    """Of an archive: which one it is. Empty when there is none."""
    try:
        status = os.stat(archive)
    except FileNotFoundError:
        return ""
    return f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"


def claim(place: str, version: str, folder: str) -> bool:
    """Moves what was kept into the folder; not when anything of it is there already."""
    for kept in pathlib.Path(place).glob(f"ready-{version}-*"):
        names = os.listdir(kept) if kept.exists() else []
        if any(os.path.lexists(os.path.join(folder, name)) for name in names):
            return False
        mine = pathlib.Path(f"{folder}-ready")
        if move(kept, mine):
            for name in os.listdir(mine):
                os.rename(mine / name, os.path.join(folder, name))
            mine.rmdir()
            return True
    return False


def keep(place: str, version: str, patterns: "list[str]", folder: str) -> None:
    """Moves the folders of the patterns away."""
    trees = {tree_of(pattern) for pattern in patterns}
    # One name each, so that they can be moved as they are.
    if None in trees or "." in trees or any("/" in tree for tree in trees):
        return
    if len(list(pathlib.Path(place).glob(f"ready-{version}-*"))) >= KEPT_AT_MOST:
        return
    gathered = pathlib.Path(f"{folder}-ready")
    gathered.mkdir()
    for tree in trees:
        if os.path.isdir(os.path.join(folder, tree)):
            os.rename(os.path.join(folder, tree), gathered / tree)
    move(gathered, pathlib.Path(place, f"ready-{version}-{uuid.uuid4().hex}"))


def remove_others(place: str, version: str) -> None:
    """What was kept of other versions. Moved first: another cloud may be about to use it."""
    for kept in pathlib.Path(place).glob("ready-*"):
        doomed = pathlib.Path(place, f"doomed-{uuid.uuid4().hex}")
        if not kept.name.startswith(f"ready-{version}-") and move(kept, doomed):
            shutil.rmtree(doomed, ignore_errors=True)


def move(source: pathlib.Path, target: pathlib.Path) -> bool:
    """False when it is gone, or when the two are on different disks."""
    try:
        os.rename(source, target)
        return True
    except OSError:
        return False
