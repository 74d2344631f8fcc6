#!/bin/sh
# Owns the making of the virtual environment: setup.sh VENV [PYTHON]. Knows nothing of what is run in it.
set -eu
venv=$1
wanted=${2:-}

usable() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

complete() {
    "$1" -c 'import venv, ensurepip' >/dev/null 2>&1
}

if [ ! -x "$venv/bin/python" ] || ! usable "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    found=
    lacking=
    for python in ${wanted:-python3 python3.13 python3.12 python3.11}; do
        usable "$python" || continue
        if complete "$python"; then found=$python; break; fi
        lacking=$python
    done
    if [ -z "$found" ] && [ -n "$lacking" ]; then
        version=$("$lacking" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        echo "set-up: $lacking ($version) lacks the venv module. On Debian or Ubuntu: apt-get install python$version-venv" >&2
        exit 2
    fi
    if [ -z "$found" ]; then
        echo "set-up: no Python 3.11 or later found${wanted:+ as $wanted}. Install one, or say which: make setup PYTHON=..." >&2
        exit 2
    fi
    echo "set-up: making $venv with $("$found" --version)"
    rm -rf "$venv"
    "$found" -m venv "$venv"
fi

echo "set-up: installing the pinned packages"
if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"; then
    echo "set-up: the packages could not be installed (is there a way to PyPI?)" >&2
    exit 2
fi
