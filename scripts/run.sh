#!/usr/bin/env bash
# Starts the gateway from a fresh clone: packages, build, development keys, `millgate serve`.
#
#   make run                                                    with the built-in Odoo
#   ODOO_URL=http://HOST:8069 ODOO_DB=… ODOO_LOGIN=… ODOO_KEY_FILE=… make run     with a real one, 17 to 19
#
# CONFIG=FILE takes another configuration than deploy/millgate.yaml. Ctrl-C stops it.
set -euo pipefail
cd "$(dirname "$0")/.."

config=${CONFIG:-deploy/millgate.yaml}

if [ -n "${ODOO_URL:-}" ]; then
    for name in ODOO_DB ODOO_LOGIN ODOO_KEY_FILE; do
        [ -n "${!name:-}" ] || { echo "$name is missing: with ODOO_URL all of ODOO_DB, ODOO_LOGIN and ODOO_KEY_FILE are needed" >&2; exit 64; }
    done
    [ -r "$ODOO_KEY_FILE" ] || { echo "ODOO_KEY_FILE: $ODOO_KEY_FILE cannot be read" >&2; exit 64; }
fi

scripts/install-deps.sh run
scripts/build.sh
# Does nothing while what is there is good for some more days.
.build/release/millgate keys dev --out certs/dev
exec .build/release/millgate serve --config "$config" --examples
