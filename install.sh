#!/bin/sh
# Installs one hashed lock file into the virtual environment: with uv, or with pip where uv does not run.
# Usage: PYTHON=python3 VENV=.venv sh install.sh requirements-run.lock
set -eu
lock=$1
root=$(cd "$(dirname "$0")" && pwd)

if ! "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))'; then
    echo "The desk needs Python 3.11 or 3.12; $PYTHON is $("$PYTHON" --version 2>&1). Name another one: make PYTHON=python3.11" >&2
    exit 1
fi

# A home directory may be missing or read-only: caches stay beside what they serve.
export PIP_CACHE_DIR="$VENV/cache/pip" UV_CACHE_DIR="$VENV/cache/uv"
export PIP_DISABLE_PIP_VERSION_CHECK=1 UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1 UV_NO_PROGRESS=1

if [ ! -x "$VENV/bin/python" ]; then
    echo "Making the virtual environment ..."
    "$PYTHON" -m venv "$VENV"
fi
python=$VENV/bin/python
if [ ! -x "$VENV/bin/uv" ]; then
    "$python" -m pip install -q --require-hashes --only-binary :all: -r "$root/requirements-bootstrap.lock" ||
        echo "uv cannot be installed here; pip does its work, more slowly." >&2
fi

# The lock is whole: what it names is installed, and nothing is resolved again.
echo "Installing packages from $lock ..."
if [ -x "$VENV/bin/uv" ] && "$VENV/bin/uv" pip install -q --python "$python" --no-deps --require-hashes --only-binary :all: -r "$root/$lock"; then
    exit 0
fi
exec "$python" -m pip install --progress-bar off -q --no-deps --require-hashes --only-binary :all: -r "$root/$lock"
