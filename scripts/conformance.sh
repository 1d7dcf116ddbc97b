#!/usr/bin/env bash
# Runs h2spec, an independent conformance suite for HTTP/2 and HPACK, against a gateway that it starts: over TLS, in
# cleartext on a port that speaks HTTP/2 alone, and in cleartext on one that speaks both.
#
#   H2SPEC=/path/to/h2spec scripts/conformance.sh
#
# Without a binary it says so and does nothing. docs/CONFORMANCE.md has the figures of the last run.
set -euo pipefail
cd "$(dirname "$0")/.."

h2spec=${H2SPEC:-$(command -v h2spec || true)}
if [ -z "$h2spec" ] || [ ! -x "$h2spec" ]; then
    echo "skipped: no h2spec; set H2SPEC to the path of its binary"
    exit 0
fi
program=${MILLGATE:-.build/debug/millgate}
[ -x "$program" ] || { echo "build first: swift build" >&2; exit 1; }
program=$(realpath "$program")

work=$(mktemp -d)
gateway="" server=""
stop() {
    for process in $gateway $server; do kill "$process" 2>/dev/null || true; done
    rm -rf "$work"
}
trap stop EXIT
cp -r policies "$work/policies"
rm -f "$work/policies/access/odoo.yaml"
(cd "$work" && "$program" keys dev >/dev/null)
# The server behind reads each request to its end before it answers, as the suite expects of what it tests.
cat >"$work/server.py" <<'PYTHON'
import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        left = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(left)
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        body = b"" if self.command == "HEAD" else b"x" * 1_000
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_HEAD = answer

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
python3 "$work/server.py" >"$work/server.port" 2>/dev/null &
server=$!
for _ in $(seq 100); do
    [ -s "$work/server.port" ] && break
    sleep 0.1
done
cat >"$work/gateway.yaml" <<YAML
reactors: 1
listeners:
  - name: both
    address: 127.0.0.1:0
  - name: alone
    address: 127.0.0.1:0
    http2: only
  - name: tls
    address: 127.0.0.1:0
    tls:
      certificates:
        - certificate: certs/dev/server.pem
          key: certs/dev/server.key
admin:
  address: 127.0.0.1:0
identity:
  issuers:
    - issuer: https://id.millgate.example
      audiences: [millgate]
      algorithms: [RS256]
      keys: [certs/dev/jwks.json]
sites:
  - name: plant-1
    warehouse: WH
  - name: plant-2
    warehouse: WH2
upstreams:
  - name: back
    url: http://127.0.0.1:$(cat "$work/server.port")
routes:
  - name: pages
    path: /
    upstream: back
    access: open
YAML
(cd "$work" && exec "$program" serve --config gateway.yaml) >"$work/log" 2>&1 &
gateway=$!
for _ in $(seq 100); do
    grep -q '^admin' "$work/log" && break
    kill -0 "$gateway" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done
port() { sed -n "s/^$1 .*:\([0-9]*\)\$/\1/p" "$work/log"; }

failed=0
run() {
    local what=$1 wanted=$2 output summary
    shift 2
    output=$("$h2spec" -h 127.0.0.1 -P / --timeout 5 "$@" 2>&1 || true)
    summary=$(grep -E '^[0-9]+ tests, ' <<<"$output" | tail -n 1)
    printf '%-44s %s\n' "$what" "$summary"
    if ! grep -q " $wanted passed, 0 skipped" <<<"$summary"; then
        grep -E '×|Expected|Actual' <<<"$output" >&2 || true
        failed=1
    fi
}
run "TLS 1.3, ALPN h2" 146 -p "$(port tls)" -t -k
run "cleartext, HTTP/2 alone" 146 -p "$(port alone)"
# One case sends nonsense in place of the preface: on a port that speaks HTTP/1.1 too it gets HTTP/1.1's 400.
run "cleartext beside HTTP/1.1 (145 of 146)" 145 -p "$(port both)"
exit $failed
