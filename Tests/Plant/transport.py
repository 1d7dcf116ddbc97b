"""TLS: versions, names, resumption, replacement of certificates, client certificates. And reloads while it runs."""
import base64
import hashlib
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

from plant import equal, holds, main, read_all, wait


def client(gateway, *arguments, input="", seconds=15, port="tls"):
    return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.ports[port]}", *arguments],
                          input=input, capture_output=True, text=True, timeout=seconds, errors="replace")


def make_certificate(plant, name, hosts, directory=None, issuer="ca"):
    """A certificate of the development authority, as NAME.pem and NAME.key."""
    directory = Path(directory or plant.directory)
    key, request, out = (directory / f"{name}.{end}" for end in ("key", "csr", "pem"))
    extensions = directory / f"{name}.ext"
    extensions.write_text("subjectAltName=" + ",".join(f"DNS:{host}" for host in hosts)
                          + "\nextendedKeyUsage=serverAuth,clientAuth\n")
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", request, "-subj", f"/CN={hosts[0]}"], check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", plant.file(f"{issuer}.pem"), "-CAkey",
                    plant.file(f"{issuer}.key"), "-CAcreateserial", "-days", "30", "-extfile", extensions, "-out", out],
                   check=True, capture_output=True)
    os.chmod(key, 0o600)
    return str(out), str(key)


def served(gateway, plant, name, **options):
    context = ssl.create_default_context(cafile=plant.file("ca.pem"))
    with socket.create_connection(("127.0.0.1", gateway.ports["tls"]), 10) as s:
        with context.wrap_socket(s, server_hostname=name) as t:
            return t.getpeercert()["serialNumber"], t.version()


def check_versions_from_1_2_and_a_floor_that_can_be_raised(plant):
    gateway = plant.gateway()
    for version in ["-tls1_2", "-tls1_3"]:
        text = client(gateway, version).stdout
        holds(version[4:].replace("_", ".") in text and "Cipher is (NONE)" not in text, f"{version}: {text[-600:]}")
    for version in ["-tls1", "-tls1_1"]:
        text = client(gateway, version, "-cipher", "DEFAULT@SECLEVEL=0").stdout
        holds("Cipher is (NONE)" in text or "no peer certificate" in text, f"{version} was taken: {text[-600:]}")
    settings = gateway.settings["listeners"]
    settings[1]["tls"]["minimum_version"] = "1.3"
    strict = plant.gateway("strict", {"listeners": settings})
    text = client(strict, "-tls1_2").stdout
    holds("Cipher is (NONE)" in text, f"1.2 was taken: {text[-600:]}")
    holds("TLSv1.3" in client(strict, "-tls1_3").stdout, "1.3 was not")
    for weak in ["AES128-SHA", "ECDHE-RSA-AES128-SHA", "NULL", "RC4"]:
        text = client(gateway, "-tls1_2", "-cipher", weak + ":@SECLEVEL=0")
        holds("Cipher is (NONE)" in text.stdout or text.returncode != 0, f"{weak} was taken")


def check_the_certificate_is_chosen_by_name_and_the_first_is_for_who_names_none(plant):
    one, two, three = (make_certificate(plant, name, hosts) for name, hosts in [
        ("one", ["one.plant.example"]), ("two", ["two.plant.example", "zwei.plant.example"]),
        ("star", ["*.wild.example"])])
    pairs = [{"certificate": pem, "key": key} for pem, key in (one, two, three)]
    gateway = plant.gateway(changes={"listeners": [
        {"name": "plain", "address": "127.0.0.1:0"},
        {"name": "tls", "address": "127.0.0.1:0", "tls": {"certificates": pairs}}]})
    for name, host in [("one.plant.example", "one.plant.example"), ("zwei.plant.example", "two.plant.example"),
                       ("ZWEI.plant.example", "two.plant.example"), ("a.wild.example", "*.wild.example"),
                       ("a.b.wild.example", "one.plant.example"), ("unknown.example", "one.plant.example"),
                       (None, "one.plant.example")]:
        text = client(gateway, *(["-servername", name] if name else ["-noservername"])).stdout
        found = re.search(r"subject=CN = (\S+)", text) or re.search(r"subject=.*CN ?= ?(\S+)", text)
        equal(found and found[1], host, str(name))


def check_sessions_are_resumed(plant):
    gateway = plant.gateway()
    for version in ["-tls1_2", "-tls1_3"]:
        file = plant.directory / ("session" + version)
        get = "GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        first = client(gateway, version, "-sess_out", str(file), "-ign_eof", input=get)
        holds(file.exists() and "HTTP/1.1 200" in first.stdout, first.stdout[-500:] + first.stderr[-300:])
        again = client(gateway, version, "-sess_in", str(file), "-ign_eof", input=get)
        holds("Reused, TLSv" in again.stdout and "HTTP/1.1 200" in again.stdout, f"{version}: {again.stdout[-800:]}")
    holds(gateway.count("server_events", event="tls-resumed") >= 2, "and counted")


def check_a_replaced_certificate_is_used_without_a_restart_and_old_connections_go_on(plant):
    pem, key = make_certificate(plant, "served", ["localhost"])
    gateway = plant.gateway(changes={"listeners": [
        {"name": "plain", "address": "127.0.0.1:0"},
        {"name": "tls", "address": "127.0.0.1:0", "tls": {"certificates": [{"certificate": pem, "key": key}]}}]})
    old = served(gateway, plant, "localhost")[0]
    with gateway.connect("tls") as s:
        make_certificate(plant, "next", ["localhost"])
        os.replace(plant.directory / "next.key", key)
        os.replace(plant.directory / "next.pem", pem)
        wait(20, lambda: served(gateway, plant, "localhost")[0] != old, "the new certificate is served")
        s.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        holds(read_all(s).startswith(b"HTTP/1.1 200"), "the old connection goes on")
    new = served(gateway, plant, "localhost")[0]
    # A broken file changes nothing.
    Path(pem).write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    wait(20, lambda: "served.pem" in gateway.output(), "the broken file is told of")
    equal(served(gateway, plant, "localhost")[0], new)
    equal(gateway.request("GET", "/openapi.json", listener="tls").status, 200)


def check_client_certificates_are_verified_and_can_be_required(plant):
    pem, key = make_certificate(plant, "machine", ["machine-7.plant.example"])
    other, other_key = str(plant.directory / "other.pem"), str(plant.directory / "other.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-keyout", other_key, "-out", other, "-subj", "/CN=machine-7.plant.example"],
                   check=True, capture_output=True)
    gateway = plant.gateway(start=False)
    roles = gateway.directory / "policies/roles.yaml"
    thumbprint = subprocess.run(["openssl", "x509", "-in", pem, "-outform", "DER"], capture_output=True).stdout
    print_ = base64.urlsafe_b64encode(hashlib.sha256(thumbprint).digest()).rstrip(b"=").decode()
    text = roles.read_text().replace("      - client_id: wms\n        issuer: https://id.millgate.example\n",
                                     "      - certificate:\n          thumbprint: %s\n" % print_)
    holds(print_ in text, "the role is there")
    roles.write_text(text)
    gateway.start()
    url = f"https://localhost:{gateway.ports['tls']}/v1/inventory?site=plant-1"
    ca = ["--cacert", plant.file("ca.pem"), "-o", "/dev/null", "-w", "%{http_code}"]
    equal(gateway.curl(*ca, url=url).stdout, "401", "without")
    equal(gateway.curl(*ca, "--cert", pem, "--key", key, url=url).stdout, "200", "with its certificate")
    stranger = gateway.curl(*ca, "--cert", other, "--key", other_key, url=url)
    equal(stranger.stdout, "000", "a certificate of somebody else's making")
    settings = gateway.settings["listeners"]
    settings[1]["tls"]["client_certificates"] = "required"
    strict = plant.gateway("strict", {"listeners": settings})
    url = f"https://localhost:{strict.ports['tls']}/openapi.json"
    equal(strict.curl(*ca, url=url).stdout, "000", "required and not sent")
    equal(strict.curl(*ca, "--cert", pem, "--key", key, url=url).stdout, "200", "required and sent")


def check_renegotiation_is_refused(plant):
    gateway = plant.gateway()
    # In TLS 1.2 a client may ask for a new handshake: the answer is an alert or the end, and the gateway lives.
    process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.ports['tls']}", "-tls1_2",
                                "-legacy_renegotiation"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace")
    time.sleep(0.7)
    try:
        for _ in range(3):
            process.stdin.write("R\n")
            process.stdin.flush()
            time.sleep(0.2)
        process.stdin.close()
    except OSError:
        pass
    process.stdin = None
    text, _ = process.communicate(timeout=15)
    holds("RENEGOTIATING" in text, text[-500:])
    holds("no renegotiation" in text or "handshake failure" in text, text[-800:])
    equal(gateway.request("GET", "/openapi.json", listener="tls").status, 200)
    equal(gateway.count("server_events", event="tls-handshake"), 2)


def check_policies_are_reloaded_on_change_and_on_sighup_and_bad_ones_are_not_taken(plant):
    gateway = plant.gateway()
    file = gateway.directory / "policies/access/reading.yaml"
    if not file.exists():
        file = next(path for path in (gateway.directory / "policies/access").glob("*.yaml")
                    if "id: catalogue" in path.read_text())
    good = file.read_text()

    def may():
        return gateway.request("GET", "/v1/products?limit=1", token="operator").status

    equal(may(), 200)
    without = good.replace("roles: [operator, supervisor, mes, wms]", "roles: [supervisor, mes, wms]")
    holds(without != good, "the rule is there")
    file.write_text(without)
    wait(20, lambda: may() == 403, "a change of the file is taken up")
    file.write_text(good)
    gateway.process.send_signal(signal.SIGHUP)
    wait(20, lambda: may() == 200, "SIGHUP")
    generation = gateway.count("configuration_generation")
    # A bad file: refused with its place, and what was stays.
    lines = good.split("\n")
    bad = next(i for i, line in enumerate(lines) if "effect: allow" in line)
    lines[bad] = lines[bad].replace("allow", "permit")
    file.write_text("\n".join(lines))
    gateway.process.send_signal(signal.SIGHUP)
    place = f"{file.name}:{bad + 1}:"
    wait(20, lambda: place in gateway.output(), f"{place} in the log")
    equal(may(), 200, "the old policy stays")
    equal(gateway.count("configuration_generation"), generation)
    ready = wait(20, lambda: gateway.admin("/readyz"), "readiness")
    holds(b"last reload was refused" in ready.body, ready.body)
    # The configuration itself too.
    gateway.settings["limits"] = [{"name": "one", "key": "subject", "quota": 60, "window": "60s", "burst": 1}]
    file.write_text(good)
    gateway.write()
    gateway.process.send_signal(signal.SIGHUP)
    wait(20, lambda: may() == 429, "a new limit counts")


def check_the_right_policy_answers_each_request_while_it_changes(plant):
    """Under load each answer is by the old or the new policy, none by neither."""
    gateway = plant.gateway()
    file = next(path for path in (gateway.directory / "policies/access").glob("*.yaml")
                if "id: catalogue" in path.read_text())
    good = file.read_text()
    without = good.replace("roles: [operator, supervisor, mes, wms]", "roles: [supervisor, mes, wms]")
    statuses, stop = [], threading.Event()

    def load():
        while not stop.is_set():
            statuses.append(gateway.request("GET", "/v1/products?limit=1", token="operator").status)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for text, status in [(without, 403), (good, 200), (without, 403), (good, 200)]:
            file.write_text(text)
            gateway.process.send_signal(signal.SIGHUP)
            # As many answers as there are clients may be from before.
            wait(20, lambda: set(statuses[-4:]) == {status}, f"only {status} answers: {statuses[-4:]}")
            time.sleep(0.1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    equal(set(statuses), {200, 403}, f"{len(statuses)} requests")


if __name__ == "__main__":
    main(globals())
