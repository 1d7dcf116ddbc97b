"""The built-in token service: accounts, the ways to prove oneself, tokens, guesses, revocation, rotation, restarts."""
import base64
import json
import time
from urllib.parse import quote, urlencode

from identity import claims, millgate, status, taken
from plant import equal, holds, main

ISSUER = "https://gateway.plant.example"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def service(plant, name="gateway", environment="production", **settings):
    return plant.gateway(name, {
        "reactors": 2, "identity": {"environment": environment},
        "token_service": {"issuer": ISSUER, **settings}})


def ask(gateway, path="/oauth2/token", fields=None, listener="plain", **form):
    form.setdefault("grant_type", "client_credentials") if path == "/oauth2/token" else None
    return gateway.request("POST", path, urlencode(form), fields={**FORM, **(fields or {})}, listener=listener)


def basic(client, secret):
    text = f"{quote(client, safe='')}:{quote(secret, safe='')}"
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def account(gateway, *arguments):
    made = millgate(gateway, "account", *arguments)
    equal(made.returncode, 0, made.stderr)
    return made.stdout


def add(gateway, name, *arguments):
    text = account(gateway, "add", name, "--role", "operator", *arguments)
    lines = [line for line in text.splitlines() if line.startswith("secret")]
    return lines[0].split(": ")[1] if lines else None


def error(answer):
    return answer.status, answer.json["error"]


def check_a_secret_gives_a_token_that_the_gateway_takes(plant):
    gateway = service(plant)
    secret = add(gateway, "mes", "--scope", "orders", "--scope", "stock", "--expires", "30d")
    for answer in [ask(gateway, fields=basic("mes", secret)), ask(gateway, client_id="mes", client_secret=secret),
                   ask(gateway, fields=basic("mes", secret), listener="tls")]:
        equal(answer.status, 200, repr(answer))
        equal(answer.field("Cache-Control"), "no-store")
        equal((answer.json["token_type"], answer.json["expires_in"], answer.json["scope"]),
              ("Bearer", 600, "orders stock"))
        said = claims(answer.json["access_token"])
        equal((said["iss"], said["sub"], said["client_id"], said["aud"], said["roles"], said["environment"]),
              (ISSUER, "mes", "mes", "millgate", ["operator"], "production"))
        equal(said["exp"] - said["iat"], 600)
        holds(taken(gateway, answer.json["access_token"]), "the token")
    equal(status(gateway, answer.json["access_token"]).status, 200)
    narrow = ask(gateway, fields=basic("mes", secret), scope="stock")
    equal(claims(narrow.json["access_token"])["scope"], "stock")
    equal(error(ask(gateway, fields=basic("mes", secret), scope="admin")), (400, "invalid_scope"))
    listed = json.loads(account(gateway, "list", "--json"))["accounts"][0]
    holds("last_used" in listed and "expires" in listed and listed["secrets"] == 1, listed)
    holds(secret not in gateway.output() and "scrypt" not in json.dumps(listed), "the secret is nowhere")
    database = (gateway.directory / "var" / "identity.sqlite3")
    equal(database.stat().st_mode & 0o777, 0o600)
    holds(secret.encode() not in database.read_bytes(), "only its hash is kept")


def check_metadata_and_keys_are_published_as_others_expect_them(plant):
    gateway = service(plant)
    metadata = gateway.request("GET", "/.well-known/oauth-authorization-server")
    equal(metadata.status, 200)
    equal((metadata.json["issuer"], metadata.json["token_endpoint"], metadata.json["jwks_uri"]),
          (ISSUER, ISSUER + "/oauth2/token", ISSUER + "/oauth2/jwks"))
    keys = gateway.request("GET", "/oauth2/jwks")
    equal(keys.field("Cache-Control"), "public, max-age=300")
    equal([(key["kty"], key["crv"], key["alg"], key["use"], "d" in key) for key in keys.json["keys"]],
          [("EC", "P-256", "ES256", "sig", False)])
    equal(gateway.request("POST", "/oauth2/jwks", "").status, 405)
    equal(gateway.request("GET", "/oauth2/token").status, 405)
    equal(gateway.request("GET", "/oauth2/jwks/x").status, 404)
    # Without the section in the configuration there is nothing at these paths.
    off = plant.gateway("off")
    for path in ["/oauth2/token", "/oauth2/jwks", "/.well-known/oauth-authorization-server"]:
        equal(off.request("GET", path).status, 401, path)


def check_what_is_not_a_client_gets_the_same_answer_whatever_is_wrong(plant):
    gateway = service(plant)
    secret = add(gateway, "mes")
    gone = add(gateway, "gone")
    account(gateway, "disable", "gone")
    late = add(gateway, "late", "--expires", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60)))
    wrong = (401, "invalid_client")
    equal(error(ask(gateway, fields=basic("mes", secret[:-1]))), wrong)
    equal(error(ask(gateway, fields=basic("nobody", secret))), wrong)
    equal(error(ask(gateway, fields=basic("gone", gone))), wrong)
    equal(error(ask(gateway, fields=basic("late", late))), wrong)
    equal(error(ask(gateway)), wrong)
    equal(error(ask(gateway, client_id="mes")), wrong, "no certificate")
    equal(error(ask(gateway, fields=basic("mes", secret), client_id="mes", client_secret=secret)), wrong, "two ways")
    equal(error(ask(gateway, fields={"Authorization": "Basic ???"})), wrong)
    answer = ask(gateway, fields=basic("mes", "x"))
    holds("Basic" in (answer.field("WWW-Authenticate") or ""), answer)
    equal(error(ask(gateway, fields=basic("mes", secret), grant_type="password")), (400, "unsupported_grant_type"))
    twice = gateway.request("POST", "/oauth2/token", "grant_type=client_credentials&scope=a&scope=b",
                            fields={**FORM, **basic("mes", secret)})
    equal(error(twice), (400, "invalid_request"))
    equal(gateway.request("POST", "/oauth2/token", "x" * 20_000, fields=FORM).status, 413)


def check_guessing_is_slowed_and_does_not_lock_others_out(plant):
    gateway = service(plant)
    secret = add(gateway, "mes")
    other = add(gateway, "wms")
    statuses = []
    while 429 not in statuses and len(statuses) < 30:
        answer = ask(gateway, fields=basic("mes", f"guess-{len(statuses)}"))
        statuses.append(answer.status)
    holds(statuses[-1] == 429 and statuses[:6] == [401] * 6, statuses)
    pause, began = int(answer.field("Retry-After")), time.monotonic()
    holds(pause >= 1, answer)
    answer = ask(gateway, fields=basic("mes", secret))
    # Even the right secret waits, so that a guesser learns nothing.
    holds(answer.status == 429 or time.monotonic() - began > pause, answer)
    equal(ask(gateway, fields=basic("wms", other)).status, 200, "another client")
    elsewhere = gateway.request("POST", "/oauth2/token", "grant_type=client_credentials",
                                fields={**FORM, **basic("mes", secret)}, source="127.0.0.9")
    equal(elsewhere.status, 200, "the same client from its own address")
    holds(gateway.count("token_service", result="limited") >= 1, "counted")


def check_private_key_jwt_is_good_once_over_a_restart_too(plant):
    gateway = service(plant)
    keys = gateway.directory / "keys"
    equal(plant.run("keys", "new", "--kind", "ec", "--kid", "wms", "--out", keys).returncode, 0)
    account(gateway, "add", "wms", "--role", "operator", "--jwks", str(keys / "wms.jwk"))

    def assertion(*arguments, aud=ISSUER + "/oauth2/token", sub="wms", iss="wms", ttl="5m"):
        made = plant.run("token", "issue", "--key", keys / "wms.key", "--kid", "wms", "--iss", iss, "--sub", sub,
                         "--aud", aud, "--ttl", ttl, *arguments)
        equal(made.returncode, 0, made.stderr)
        return made.stdout.strip()

    def prove(token, **form):
        return ask(gateway, client_assertion=token, client_assertion_type=
                   "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", **form)

    good = assertion()
    answer = prove(good)
    equal(answer.status, 200, repr(answer))
    holds(taken(gateway, answer.json["access_token"]), "its token")
    equal(error(prove(good)), (401, "invalid_client"), "the same once more")
    gateway.kill()
    gateway.start()
    equal(error(prove(good)), (401, "invalid_client"), "after a restart")
    equal(prove(assertion(aud=ISSUER)).status, 200, "the issuer as audience")
    for bad in [assertion(aud="https://other.example"), assertion(sub="mes"), assertion(ttl="1h"),
                assertion(iss="mes")]:
        equal(error(prove(bad)), (401, "invalid_client"), str(claims(bad)))
    equal(error(prove(assertion(), client_id="mes")), (401, "invalid_client"), "another client_id")


def curl(plant, gateway, *arguments, certificate="client"):
    made = gateway.curl("--cacert", plant.file("ca.pem"), "--cert", plant.file(certificate + ".pem"), "--key",
                        plant.file(certificate + ".key"), "-w", "\n%{http_code}", *arguments,
                        url=f"https://localhost:{gateway.ports['tls']}" + ("/oauth2/token" if "-d" in arguments
                                                                          else "/v1/products"))
    body, _, code = made.stdout.rpartition("\n")
    return int(code), body


def check_a_certificate_gives_a_token_that_is_bound_to_it(plant):
    gateway = service(plant)
    account(gateway, "add", "robot", "--role", "operator", "--certificate", plant.file("client.pem"))
    code, body = curl(plant, gateway, "-d", "grant_type=client_credentials&client_id=robot")
    equal(code, 200, body)
    token = json.loads(body)["access_token"]
    holds(claims(token)["cnf"]["x5t#S256"], "bound")
    equal(curl(plant, gateway, "-H", "Authorization: Bearer " + token)[0], 200)
    equal(status(gateway, token, listener="tls").status, 401, "without the certificate")
    equal(error(ask(gateway, client_id="robot", listener="tls")), (401, "invalid_client"))


def check_a_client_calls_its_own_token_back(plant):
    gateway = service(plant)
    secret, other = add(gateway, "mes"), add(gateway, "wms")
    token = ask(gateway, fields=basic("mes", secret)).json["access_token"]
    holds(taken(gateway, token), "before")
    equal(ask(gateway, "/oauth2/revoke", basic("wms", other), token=token).status, 200)
    holds(taken(gateway, token), "another client's wish is ignored")
    equal(ask(gateway, "/oauth2/revoke", token=token).status, 401, "nobody's wish is refused")
    equal(ask(gateway, "/oauth2/revoke", basic("mes", secret), token=token).status, 200)
    equal(status(gateway, token).status, 401, "after")
    equal(ask(gateway, "/oauth2/revoke", basic("mes", secret), token="nonsense").status, 200, "RFC 7009 §2.2")


def check_disabling_and_rotating_take_effect_at_once(plant):
    gateway = service(plant)
    first = add(gateway, "mes")
    token = ask(gateway, fields=basic("mes", first)).json["access_token"]
    second = account(gateway, "rotate", "mes").split(": ")[-1].strip()
    for secret in (first, second):
        equal(ask(gateway, fields=basic("mes", secret)).status, 200, "both during the change")
    third = account(gateway, "rotate", "mes", "--drop-old").split(": ")[-1].strip()
    equal([ask(gateway, fields=basic("mes", secret)).status for secret in (first, second, third)], [401, 401, 200])
    holds(taken(gateway, token), "tokens live on")
    account(gateway, "disable", "mes")
    equal(status(gateway, token).status, 401, "until the account is disabled")
    equal(ask(gateway, fields=basic("mes", third)).status, 401)
    equal(millgate(gateway, "account", "disable", "nobody").returncode, 1)
    audit = "".join(path.read_text(errors="replace") for path in (gateway.directory / "var/audit").iterdir()
                    if path.is_file())
    for text in ["account mes added by", "account mes rotated by", "account mes disabled by", "token issued to mes"]:
        holds(text in audit, text)
    holds(first not in audit and third not in audit, "no secret in the audit log")


def check_keys_and_accounts_outlive_a_crash_and_environments_do_not_mix(plant):
    gateway = service(plant)
    secret = add(gateway, "mes")
    token = ask(gateway, fields=basic("mes", secret)).json["access_token"]
    keys = gateway.request("GET", "/oauth2/jwks").json
    gateway.kill()
    gateway.start()
    holds(taken(gateway, token), "a token from before the crash")
    equal(gateway.request("GET", "/oauth2/jwks").json, keys)
    equal(ask(gateway, fields=basic("mes", secret)).status, 200)
    # The same stores, keys included, under the name of another environment: what was stolen there opens nothing here.
    gateway.stop()
    gateway.settings["identity"]["environment"] = "test"
    gateway.start()
    equal(status(gateway, token).status, 401, "a token of production")
    equal(ask(gateway, fields=basic("mes", secret)).status, 401, "an account of production")


def check_the_configuration_says_what_is_missing(plant):
    gateway = plant.gateway(start=False)
    for service_settings, identity, word in [
            ({"issuer": ISSUER}, {}, "identity.environment"),
            ({"issuer": "http://x.example"}, {"environment": "e"}, "https"),
            ({"issuer": ISSUER + "/a"}, {"environment": "e"}, "without a path"),
            ({"issuer": ISSUER, "token_life": "1h"}, {"environment": "e"}, "15m")]:
        gateway.settings["token_service"] = service_settings
        gateway.settings["identity"].pop("environment", None)
        gateway.settings["identity"].update(identity)
        gateway.write()
        made = plant.run("check", "--config", "millgate.yaml", cwd=gateway.directory)
        equal(made.returncode, 78)
        holds(word in made.stdout + made.stderr, made.stdout + made.stderr)


if __name__ == "__main__":
    main(globals())
