"""Certificates, keys and tokens for the bench: made by openssl, signed here, so that nothing is needed besides them.

In the directory afterwards: cert.pem, key.pem and both of them in both.pem (P-256, for 127.0.0.1); rsa.pem,
rsa.pub.pem and jwks.json (RS256, 2048 bits); good.jwt, wrongrole.jwt, forged.jwt; tokens.txt with 1,000 distinct good
tokens and tokens.lua, which lets wrk send them in rotation; new-tokens.txt and new-tokens.lua, when asked for, with
more tokens than any cache here remembers, so that each is new whenever it comes; upload.lua.
"""
import base64
import hashlib
import concurrent.futures
import json
import re
import subprocess
import time
import uuid

ISSUER, AUDIENCE, ROLE = "https://issuer.bench", "millgate", "mes"

# What a browser-like client sends; every request of every scenario carries it.
HEADERS = [
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64)",
    "Accept: application/json",
    "Accept-Encoding: gzip, deflate",
    "X-Request-Id: 7f3d2a10-8a55-4c6e-b1fe-0e9e2e2f1a77",
    "Cookie: session=abcdef0123456789",
]

# ASN.1 of "SHA-256 digest follows" (RFC 8017 §9.2, note 1).
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


class SigningKey:
    """RS256 with the Chinese remainder theorem: 3 ms a token, and no package for it."""

    def __init__(self, file):
        if not file.exists():
            openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", file)
        text = openssl("pkey", "-in", file, "-noout", "-text")
        number = {}
        for name, digits in re.findall(r"^(\w+):\n((?: +[0-9a-f:]+\n)+)", text, re.M):
            number[name] = int(re.sub(r"[^0-9a-f]", "", digits), 16)
        self.n, self.p, self.q = number["modulus"], number["prime1"], number["prime2"]
        self.dp, self.dq, self.inverse = number["exponent1"], number["exponent2"], number["coefficient"]

    def sign(self, message):
        digest = SHA256_PREFIX + hashlib.sha256(message).digest()
        m = int.from_bytes(b"\x00\x01" + b"\xff" * (256 - 3 - len(digest)) + b"\x00" + digest, "big")
        a, b = pow(m, self.dp, self.p), pow(m, self.dq, self.q)
        return (b + self.q * ((a - b) * self.inverse % self.p)).to_bytes(256, "big")

    def token(self, subject="svc-mes-line-2", role=ROLE):
        now = int(time.time())
        head = {"alg": "RS256", "typ": "JWT", "kid": "k1"}
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 86400,
                  "jti": str(uuid.uuid4()), "roles": [role], "role": role, "site": "plant-1"}
        message = base64url(json.dumps(head).encode()) + "." + base64url(json.dumps(claims).encode())
        return message + "." + base64url(self.sign(message.encode()))


def make(directory):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-keyout", directory / "key.pem", "-out", directory / "cert.pem", "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1")
    pair = (directory / "cert.pem").read_bytes() + (directory / "key.pem").read_bytes()
    (directory / "both.pem").write_bytes(pair)
    key, other = SigningKey(directory / "rsa.pem"), SigningKey(directory / "other.pem")
    openssl("pkey", "-in", directory / "rsa.pem", "-pubout", "-out", directory / "rsa.pub.pem")
    public = {"kty": "RSA", "kid": "k1", "alg": "RS256", "use": "sig", "n": base64url(key.n.to_bytes(256, "big")),
              "e": "AQAB"}
    (directory / "jwks.json").write_text(json.dumps({"keys": [public]}))
    (directory / "good.jwt").write_text(key.token())
    (directory / "wrongrole.jwt").write_text(key.token(role="guest"))
    (directory / "forged.jwt").write_text(other.token())
    tokens = [key.token(subject=f"svc-{i:04}") for i in range(1000)]
    (directory / "tokens.txt").write_text("\n".join(tokens))
    write_script(directory, "tokens")
    (directory / "upload.lua").write_text(
        f'wrk.method="POST"\nlocal f=io.open("{directory}/www/big/mebibyte","rb")\nwrk.body=f:read("*a")\n'
        + 'wrk.headers["Content-Type"]="application/octet-stream"\n')


# Tokens that Millgate remembers by default are 8,192; Envoy and HAProxy remember none.
NEW_TOKENS = 12_000


def signed(file, first, last):
    key = SigningKey(file)
    return [key.token(subject=f"new-{i % 1000:04}") for i in range(first, last)]


def make_new_tokens(directory):
    """Some 20 s of signing on two cores."""
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        parts = [pool.submit(signed, directory / "rsa.pem", i, i + 1_500) for i in range(0, NEW_TOKENS, 1_500)]
        tokens = [token for part in parts for token in part.result()]
    (directory / "new-tokens.txt").write_text("\n".join(tokens))
    write_script(directory, "new-tokens")


def write_script(directory, name):
    """Lets wrk send the tokens of NAME.txt in rotation."""
    fields = "".join('h["{}"]="{}"\n'.format(*field.split(": ", 1)) for field in HEADERS)
    (directory / f"{name}.lua").write_text(
        f'local t={{}}\nfor line in io.lines("{directory}/{name}.txt") do t[#t+1]=line end\nlocal h={{}}\nlocal i=0\n'
        + fields + 'request=function() i=i%#t+1; h["Authorization"]="Bearer "..t[i]; '
        + 'return wrk.format("GET","/secure/x",h) end\n')
