"""Where builds lie on this machine, and which programs they find.

On AWS a build has a container of its own, made from the project's image. Here it has a folder of its own and this machine's
programs: the project's Node.js first, then the emulator's Python, then what its owner has on the PATH.
"""

import os
import shutil
import sys

# Of the instance; logs of builds stay in builds/, everything else is in tmp/ and goes with the instance.
directory = ""
# Of all instances.
cache = ""
node_modules = ""
endpoint = ""


def prepare(instance: str, cache_directory: str, modules: str, port: int) -> None:
    global directory, cache, node_modules, endpoint
    directory, cache, node_modules, endpoint = instance, cache_directory, modules, f"http://127.0.0.1:{port}"
    # Of builds that nobody can ask for any more.
    shutil.rmtree(os.path.join(directory, "builds"), ignore_errors=True)


def log_file(build_id: str) -> str:
    return os.path.join(directory, "builds", build_id, "build.log")


def work_folder(build_id: str) -> str:
    """Short: the paths of sockets below it may have 100 characters."""
    return os.path.join(directory, "tmp", "builds", build_id.rpartition(":")[2][:8])


def search_path() -> str:
    own = [os.path.join(node_modules, ".bin"), os.path.join(sys.prefix, "bin")]
    inherited = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder and folder not in own]
    return os.pathsep.join([*own, *inherited])
