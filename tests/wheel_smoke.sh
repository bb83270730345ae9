#!/usr/bin/env bash
# Builds the wheel and runs the program from it, in an environment of its own and outside of the checkout: everything that
# the program needs must be in the wheel or among its dependencies. Called as: tests/wheel_smoke.sh PYTHON-WITH-BUILD
set -euo pipefail
python=$(realpath --no-symlinks "${1:?name a python that has build}")
checkout=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "wheel: $1"; exit 1; }

"$python" -m build --wheel --outdir "$work/dist" "$checkout" >"$work/build.log" 2>&1 || { cat "$work/build.log"; fail "cannot be built"; }
"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$work"/dist/*.whl
cd "$work"
unset PYTHONPATH
mailbot=$work/venv/bin/mailbot

"$mailbot" --version | grep -q '[0-9]' || fail "--version tells no version"

cat >broken.toml <<'TOML'
[mailbot]
address = "desk"
TOML
code=0
"$mailbot" check -c broken.toml >told 2>&1 || code=$?
[ "$code" = 2 ] || { cat told; fail "check of a broken configuration must exit with 2, not $code"; }
grep -q "mailbot.address: read 'desk'" told || { cat told; fail "check does not list the faults"; }

# A good one, whose servers are not there: templates, catalogue and migrations are found, so that it is no longer 2.
cat >good.toml <<'TOML'
[mailbot]
address = "desk@example.com"
time_zone = "Europe/Rome"
data_dir = "var"
[imap]
host = "127.0.0.1"
port = 1
security = "plain"
username = "desk"
password = "none"
[smtp]
host = "127.0.0.1"
port = 1
security = "plain"
[identity]
staff = "key"
[[staff]]
address = "anna@example.com"
TOML
code=0
"$mailbot" check -c good.toml >told 2>&1 || code=$?
[ "$code" = 1 ] || { cat told; fail "check without servers must exit with 1, not $code"; }
! grep -q Traceback told || { cat told; fail "check ends in a traceback"; }

# Every command that needs the database brings it up to date first, from the migrations in the wheel.
"$mailbot" -c good.toml tickets --json >told 2>&1 || { cat told; fail "no database can be made"; }
[ "$(tr -d '[:space:]' <told)" = "[]" ] || { cat told; fail "a new desk has tickets"; }
echo "wheel: good"
