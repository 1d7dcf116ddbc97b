#!/usr/bin/env bash
# Makes .build/venv with the Python libraries that the tests hold this program against, and does nothing when they are
# there: the published verifiers of Standard Webhooks, the SDK of CloudEvents, a model of AsyncAPI 3.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(standardwebhooks==1.1.0 svix==2.9.1 cloudevents==1.12.0 asyncapi3==0.0.2 jsonschema==4.25.1 psycopg2-binary==2.9.11)
venv=.build/venv
mark=$venv/.installed
wanted="${packages[*]}"

mkdir -p .build
# Tests of several processes may ask at once.
exec 9>.build/venv.lock
flock 9
[ -f "$mark" ] && [ "$(cat "$mark")" = "$wanted" ] && exit 0
[ -x $venv/bin/python ] || python3 -m venv $venv
$venv/bin/pip install --quiet --disable-pip-version-check "${packages[@]}"
echo "$wanted" >"$mark"
