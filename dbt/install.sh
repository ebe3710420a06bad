#!/bin/sh
# Installs requirements.txt into a folder that PYTHONPATH can name: sh install.sh <folder>
#
# A folder and not a virtual environment, since a folder may be moved: the build's cache puts it back wherever the next
# build runs. Does nothing, and asks nobody, when the folder already holds these packages for this Python.
set -eu

[ $# -eq 1 ] || {
  echo "usage: sh install.sh <folder>" >&2
  exit 2
}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$(dirname "$1")"
target=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
# The build's cache may put a link there; what it points to is what must be replaced.
if [ -d "$target" ]; then target=$(cd "$target" && pwd -P); fi

# What installs leave behind that were killed: nobody else may be using the folder of a process that is gone.
for leftover in "$target".new.* "$target".old.*; do
  if [ -d "$leftover" ] && ! kill -0 "${leftover##*.}" 2>/dev/null; then rm -rf "$leftover"; fi
done

# Packages with compiled parts differ by Python and platform.
describe='
import hashlib, pathlib, sys, sysconfig
digest = hashlib.sha256(b"".join(pathlib.Path(path).read_bytes() for path in sys.argv[1:])).hexdigest()
print(digest, "%d.%d" % sys.version_info[:2], sysconfig.get_platform())
'
wanted=$(python3 -c "$describe" "$here/requirements.txt" "$here/install.sh") || {
  echo "install.sh: needs python3, 3.10 or newer, on the PATH." >&2
  exit 1
}
# No leading dot: a cache may leave such files out.
stamp=installed-for
if [ -f "$target/$stamp" ] && [ "$(cat "$target/$stamp")" = "$wanted" ]; then exit 0; fi

python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
  echo "install.sh: dbt needs Python 3.10 or newer; python3 is $(python3 --version)." >&2
  exit 1
}
python3 -m pip --version >/dev/null 2>&1 || {
  echo "install.sh: python3 has no pip. Use a virtual environment's, or install it (Debian, Ubuntu: python3-pip)." >&2
  exit 1
}

fresh=$target.new.$$
trap 'rm -rf "$fresh" "$target.old.$$"' EXIT
trap 'exit 1' HUP INT TERM
count=$(grep -c == "$here/requirements.txt")
echo "Installing dbt ($count packages at most) ..."
# Without dependencies: the list is complete, and some pips (23.2) stumble over an extra that a listed package asks for.
export PIP_ROOT_USER_ACTION=ignore # the build is root, and installs into a folder of its own
python3 -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes \
  --target "$fresh" --requirement "$here/requirements.txt" || {
  echo "install.sh: pip could not install dbt's packages; its message is above. Nothing was changed." >&2
  exit 1
}
# Halves the start of each run. Never checked against the sources again, whose times a build's cache need not keep. A file
# that does not compile (packages carry templates) is nothing that gets imported.
python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash "$fresh" >/dev/null 2>&1 || :
echo "$wanted" >"$fresh/$stamp"
if [ -e "$target" ]; then mv "$target" "$target.old.$$"; fi
mv "$fresh" "$target"
echo "Installed dbt."
