"""Who is calling: keys by URL and their rotation, several issuers, revocation, bound tokens, environments."""
import base64
import hashlib
import json
import ssl
import subprocess
import time
from pathlib import Path

from plant import equal, holds, main, respond_ok, wait

AUDIENCE = "millgate"


class Issuer:
    """An identity provider: keys made by `millgate keys new`, published over HTTP, and tokens signed with them."""

    def __init__(self, plant, name="idp", cache="max-age=1"):
        self.plant, self.name, self.cache = plant, name, cache
        self.directory = plant.directory / f"{name}-keys"
        self.published, self.isAway, self.asked = [], False, []
        self.server = plant.server(self.answer)
        self.url = self.server.url + "/realm"

    def make_key(self, kid, publish=True):
        made = self.plant.run("keys", "new", "--kind", "ec", "--kid", kid, "--out", self.directory)
        equal(made.returncode, 0, made.stderr)
        if publish:
            self.published.append(kid)

    def jwks(self):
        keys = [json.loads((self.directory / f"{kid}.jwk").read_text()) for kid in self.published]
        # A published set has other things in it as well.
        return {"keys": keys + [{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "secret"}, {"kty": "XYZ"}]}

    def answer(self, connection, head, number):
        path = head.split(" ")[1]
        self.asked.append(path)
        if self.isAway:
            return False
        if path == "/realm/.well-known/openid-configuration":
            body = {"issuer": self.url, "jwks_uri": self.server.url + "/keys"}
        elif path == "/keys":
            body = self.jwks()
        else:
            connection.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return True
        text = json.dumps(body)
        connection.send(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: {self.cache}\r\n"
                        f"Content-Length: {len(text)}\r\n\r\n{text}")
        return True

    def token(self, kid, *arguments, sub="anna", aud=AUDIENCE, role="operator"):
        made = self.plant.run("token", "issue", "--key", self.directory / f"{kid}.key", "--kid", kid, "--iss",
                              self.url, "--aud", aud, "--sub", sub, "--role", role, *arguments)
        equal(made.returncode, 0, made.stderr)
        return made.stdout.strip()

    def entry(self, **settings):
        return {"issuer": self.url, "audiences": [AUDIENCE], "algorithms": ["ES256"], "discovery": True, **settings}


def gateway_with(plant, *entries, name="gateway", reactors=1, **identity):
    return plant.gateway(name, {"reactors": reactors, "identity": {"issuers": list(entries), **identity}})


def status(gateway, token, **options):
    """What the gateway says of a token: 401 where it is not taken; what policy says then does not matter here."""
    fields = {"Authorization": "Bearer " + token, **options.pop("fields", {})}
    return gateway.request("GET", "/v1/products", fields=fields, **options)


def taken(gateway, token, **options):
    answer = status(gateway, token, **options)
    holds(answer.status in (200, 401, 403, 503), repr(answer))
    return answer.status in (200, 403)


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def check_keys_come_by_discovery_and_are_there_when_the_gateway_answers(plant):
    issuer = Issuer(plant)
    issuer.make_key("k1")
    gateway = gateway_with(plant, issuer.entry())
    holds(taken(gateway, issuer.token("k1")), "the first token after the start was not taken")
    equal(issuer.asked[:2], ["/realm/.well-known/openid-configuration", "/keys"])
    equal(gateway.count("issuer_keys", issuer=issuer.url, item="keys"), 1)
    ready = gateway.admin("/readyz").json["checks"][f"issuer {issuer.url}"]
    holds(ready["status"] == "pass" and "1 keys" in ready["detail"], ready)
    other = Issuer(plant, "other")
    other.make_key("k1")
    equal(status(gateway, other.token("k1")).status, 401, "an issuer that nobody configured")


def check_rotation_refuses_nobody_who_comes_again_when_asked_to(plant):
    issuer = Issuer(plant, cache="max-age=3600")
    issuer.make_key("k1")
    gateway = gateway_with(plant, issuer.entry(unknown_key_pause="2s"))
    old = issuer.token("k1")
    holds(taken(gateway, old), "before the rotation")
    # Unknown keys may ask for a fetch only so often after the last one.
    time.sleep(2.1)
    # The issuer signs with a key that it has published this very moment: the gateway must not have to be told.
    issuer.make_key("k2")
    new = issuer.token("k2")

    def comes_again():
        answer = status(gateway, new)
        if answer.status == 503:
            equal(answer.field("Retry-After"), "1")
            return False
        holds(answer.status != 401, f"refused during rotation: {answer}")
        return True

    wait(5, comes_again, "the token of the new key")
    holds(taken(gateway, old), "the old key is still published")


def check_unknown_keys_cannot_make_the_gateway_hammer_the_issuer(plant):
    issuer = Issuer(plant, cache="max-age=3600")
    issuer.make_key("k1")
    issuer.make_key("never", publish=False)
    gateway = gateway_with(plant, issuer.entry(unknown_key_pause="1h"))
    before = len(issuer.asked)
    token = issuer.token("never")
    for _ in range(50):
        equal(status(gateway, token).status, 401)
    equal(len(issuer.asked), before, "fetches")


def check_keys_are_refreshed_in_the_background_and_kept_while_the_issuer_is_away(plant):
    issuer = Issuer(plant)
    issuer.make_key("k1")
    issuer.make_key("k2", publish=False)
    gateway = gateway_with(plant, issuer.entry(refresh="2s"))
    token = issuer.token("k2")
    equal(status(gateway, token).status, 401)
    issuer.published.append("k2")
    wait(20, lambda: gateway.count("issuer_keys", issuer=issuer.url, item="keys") == 2, "the second key")
    holds(taken(gateway, token), "after the refresh")
    issuer.isAway = True
    wait(20, lambda: gateway.count("issuer_keys", issuer=issuer.url, item="stale") == 1, "the metric for stale keys")
    holds(taken(gateway, issuer.token("k1")), "the keys that are known count while the issuer is away")
    issuer.isAway = False
    wait(20, lambda: gateway.count("issuer_keys", issuer=issuer.url, item="stale") == 0, "fresh keys again")
    issuer.published.remove("k2")
    wait(20, lambda: not taken(gateway, token), "a key that was withdrawn counts no more, remembered or not")


def check_a_gateway_starts_without_its_issuer_and_says_so(plant):
    issuer = Issuer(plant)
    issuer.make_key("k1")
    issuer.isAway = True
    gateway = gateway_with(plant, issuer.entry())
    token = issuer.token("k1")
    answer = status(gateway, token)
    equal((answer.status, answer.field("Retry-After")), (503, "1"), repr(answer))
    holds("no keys yet" in gateway.admin("/readyz").json["checks"][f"issuer {issuer.url}"]["detail"], "readyz")
    issuer.isAway = False
    wait(20, lambda: taken(gateway, token), "the issuer is back")


def check_the_issuers_certificate_is_verified(plant):
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    import threading
    issuer = Issuer(plant)
    issuer.make_key("k1")
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            body = json.dumps(issuer.jwks()).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *arguments):
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(plant.file("server.pem"), plant.file("server.key"))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    entry = issuer.entry(jwks_url=f"https://localhost:{server.server_address[1]}/keys")
    del entry["discovery"]
    blind = gateway_with(plant, entry, name="blind")
    equal(status(blind, issuer.token("k1")).status, 503)
    holds("certificate" in blind.admin("/readyz").json["checks"][f"issuer {issuer.url}"]["detail"], "readyz says why")
    equal(asked, [])
    seeing = gateway_with(plant, {**entry, "authorities": plant.file("ca.pem")}, name="seeing")
    holds(taken(seeing, issuer.token("k1")), "with the right authority")
    server.shutdown()


def check_each_issuer_has_its_own_audience_profile_and_claims(plant):
    one, two = Issuer(plant, "one"), Issuer(plant, "two")
    one.make_key("k1")
    two.make_key("k1")
    gateway = gateway_with(
        plant, one.entry(audiences=["one"], claims={"roles": "realm_access.roles"}),
        two.entry(audiences=["two"], profile="rfc9068"))
    roles = '--claim', 'realm_access={"roles":["operator"]}'
    equal(status(gateway, one.token("k1", aud="two")).status, 401, "the audience of the other issuer")
    equal(status(gateway, one.token("k1", aud="one")).status, 403, "a role that is not where the issuer keeps roles")
    equal(status(gateway, one.token("k1", *roles, aud="one", role="none")).status, 200, "a role that is")
    equal(status(gateway, two.token("k1", aud="two")).status, 401, "no access token as in RFC 9068")
    holds(taken(gateway, two.token("k1", "--type", "at+jwt", "--client-id", "mes", aud="two")), "one as in RFC 9068")


def check_a_token_of_the_test_system_never_works_in_production(plant):
    issuer = Issuer(plant)
    issuer.make_key("k1")
    gateway = gateway_with(plant, issuer.entry(environment_required=True), environment="production")
    equal(status(gateway, issuer.token("k1", "--claim", "environment=test")).status, 401)
    equal(status(gateway, issuer.token("k1")).status, 401)
    holds(taken(gateway, issuer.token("k1", "--claim", "environment=production")), "its own")


def check_a_bound_token_is_worth_nothing_without_its_certificate(plant):
    issuer = Issuer(plant)
    issuer.make_key("k1")
    gateway = gateway_with(plant, issuer.entry(certificate_bound=True))
    pem = Path(plant.file("client.pem")).read_text()
    der = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN"):])
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")
    bound = issuer.token("k1", "--claim", 'cnf={"x5t#S256":"%s"}' % thumbprint)
    stranger = issuer.token("k1", "--claim", 'cnf={"x5t#S256":"%s"}' % ("A" * 43))
    equal(status(gateway, issuer.token("k1")).status, 401, "a token that is bound to nothing")

    def curl(token):
        made = gateway.curl("--cacert", plant.file("ca.pem"), "--cert", plant.file("client.pem"), "--key",
                            plant.file("client.key"), "-o", "/dev/null", "-w", "%{http_code}\n", "-H",
                            "Authorization: Bearer " + token, "--resolve",
                            f"localhost:{gateway.ports['tls']}:127.0.0.1",
                            url=f"https://localhost:{gateway.ports['tls']}/v1/products")
        return made.stdout.strip() + made.stderr

    for _ in range(2):
        holds(curl(bound) in ("200", "403"), f"with its certificate: {curl(bound)}")
        equal(status(gateway, bound, listener="tls").status, 401, "remembered, and without its certificate")
        equal(curl(stranger), "401", "with another certificate")


def millgate(gateway, *arguments):
    command = [*arguments[:2], "--config", "millgate.yaml", "--admin", f"http://127.0.0.1:{gateway.ports['admin']}",
               *arguments[2:]]
    return gateway.plant.run(*command, cwd=gateway.directory)


def check_a_revoked_token_is_refused_within_a_second_on_every_reactor(plant):
    issuer = Issuer(plant)
    issuer.make_key("k1")
    gateway = gateway_with(plant, issuer.entry(), reactors=4)
    token, spared = issuer.token("k1"), issuer.token("k1", sub="bert")
    # Enough connections that every reactor has one, and the token in its memory.
    connections = [gateway.connect() for _ in range(40)]
    request = f"GET /v1/products HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()

    def ask(connection):
        connection.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        length = int([line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")][0][15:])
        while len(body) < length:
            body += connection.recv(65536)
        return int(head.split(b" ")[1])

    for connection in connections:
        holds(ask(connection) != 401, "before")
    made = millgate(gateway, "revocation", "add", "--jti", claims(token)["jti"], "--issuer", issuer.url,
                    "--reason", "stolen", "--by", "anna")
    end = time.monotonic() + 1
    equal(made.returncode, 0, made.stderr)
    for connection in connections:
        equal(ask(connection), 401, "after")
    holds(time.monotonic() < end + 5, "asking took too long to say anything")
    holds(taken(gateway, spared), "another token")
    equal(gateway.count("revocations"), 1)
    listed = json.loads(millgate(gateway, "revocation", "list", "--json").stdout)["revocations"]
    equal([(entry["value"], entry["by"], entry["reason"]) for entry in listed],
          [(claims(token)["jti"], "anna", "stolen")])
    # Over a kill and a new start: loaded before anybody is served.
    gateway.kill()
    gateway.start()
    equal(status(gateway, token).status, 401, "after a restart")
    made = millgate(gateway, "revocation", "remove", listed[0]["key"], "--by", "bert")
    equal(made.returncode, 0, made.stderr)
    holds(taken(gateway, token), "taken back")
    log = plant.run("audit", "show", "var/audit", "--json", cwd=gateway.directory)
    text = log.stdout + log.stderr
    if log.returncode != 0:
        text = "".join(path.read_text(errors="replace") for path in (gateway.directory / "var/audit").iterdir()
                       if path.is_file())
    holds("revocation added" in text and "by anna: stolen" in text and "by bert" in text, "the audit log says who")


def check_subjects_clients_and_issuers_are_revoked_up_to_a_time(plant):
    issuer = Issuer(plant)
    issuer.make_key("k1")
    gateway = gateway_with(plant, issuer.entry())
    for kind, arguments in [("subject", ["--subject", "anna"]), ("client", ["--client", "mes"]), ("issuer", [])]:
        old = issuer.token("k1", "--client-id", "mes")
        holds(taken(gateway, old), kind)
        made = millgate(gateway, "revocation", "add", *arguments, "--issuer", issuer.url, "--issued-before", "now")
        equal(made.returncode, 0, made.stderr)
        equal(status(gateway, old).status, 401, kind)
        time.sleep(1.1)
        holds(taken(gateway, issuer.token("k1", "--client-id", "mes")), f"{kind}: a new token")
    made = millgate(gateway, "revocation", "add", "--issuer", issuer.url)
    equal(made.returncode, 1)
    holds("issued_before" in made.stderr, made.stderr)


def check_the_admin_interface_changes_nothing_without_its_token(plant):
    gateway = plant.gateway()
    body = {"kind": "subject", "value": "anna", "issuer": "https://id.millgate.example"}
    for fields in [{}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer " + "A" * 43}]:
        equal(gateway.request("POST", "/identity/revocations", body, fields=fields, listener="admin").status, 401)
    file = gateway.directory / "var" / "admin.token"
    equal(file.stat().st_mode & 0o777, 0o600)
    fields = {"Authorization": "Bearer " + file.read_text()}
    for bad in [{}, {"kind": "x"}, {"kind": "subject", "value": ""}, {**body, "expires": "tomorrow"}, {**body, "x": 1}]:
        equal(gateway.request("POST", "/identity/revocations", bad, fields=fields, listener="admin").status, 400, bad)
    big = {**body, "reason": "x" * 300_000}
    equal(gateway.request("POST", "/identity/revocations", big, fields=fields, listener="admin").status, 413)
    equal(gateway.request("POST", "/identity/revocations", body, fields=fields, listener="admin").status, 201)
    equal(gateway.request("GET", "/healthz", listener="admin").status, 200)


if __name__ == "__main__":
    main(globals())
