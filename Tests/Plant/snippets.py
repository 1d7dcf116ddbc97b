"""Each program of docs/WEBHOOKS.md accepts what is genuine and refuses the rest, where its language is installed."""
import base64
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from plant import REPOSITORY, Skip, equal, holds, main
from webhooks import SECRET, signatures

# Stands in for swift-crypto, which is no part of this program: the two names that the snippet uses, by OpenSSL.
CRYPTO = """
import COpenSSL
import Foundation
public struct SHA256 {}
public struct SymmetricKey { let bytes: [UInt8]; public init(data: Data) { bytes = Array(data) } }
public enum HMAC<H> {
    public static func isValidAuthenticationCode(
        _ code: Data, authenticating data: Data, using key: SymmetricKey
    ) -> Bool {
        var out = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 32
        let content = Array(data)
        _ = COpenSSL.HMAC(EVP_sha256(), key.bytes, Int32(key.bytes.count), content, content.count, &out, &count)
        return Array(code) == out
    }
}
"""


def swift(folder):
    (folder / "c").mkdir()
    (folder / "c" / "module.modulemap").write_text('module COpenSSL { header "ssl.h" link "crypto" }\n')
    (folder / "c" / "ssl.h").write_text("#include <openssl/evp.h>\n#include <openssl/hmac.h>\n")
    (folder / "Crypto.swift").write_text(CRYPTO)
    flags = ["swiftc", "-Onone", "-I", str(folder), "-I", str(folder / "c"),
             "-module-cache-path", str(folder / "cache")]
    build(folder, *flags, "-parse-as-library", "-emit-module", "-emit-library", "-module-name", "Crypto",
          "-o", "libCrypto.so", "Crypto.swift", "-lcrypto")
    build(folder, *flags, "-L", str(folder), "-lCrypto", "-Xlinker", "-rpath", "-Xlinker", str(folder), "-o", "verify",
          "main.swift")
    return [str(folder / "verify")]


def build(folder, *command):
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200,
                          env={**os.environ, "GOCACHE": str(folder / "gocache"), "GOFLAGS": "-mod=mod"})
    equal(made.returncode, 0, made.stdout[-800:] + made.stderr[-1500:])


def go(folder):
    build(folder, "go", "build", "-o", "verify", "main.go")
    return [str(folder / "verify")]


def java(folder):
    build(folder, "javac", "Verify.java")
    return ["java", "-cp", str(folder), "Verify"]


def csharp(folder):
    (folder / "verify.csproj").write_text(
        '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net8.0'
        "</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup></Project>")
    build(folder, "dotnet", "build", "-o", "out")
    return ["dotnet", "out/verify.dll"]


LANGUAGES = {
    "python": ("python3", "verify.py", lambda folder: ["python3", str(folder / "verify.py")]),
    "javascript": ("node", "verify.js", lambda folder: ["node", str(folder / "verify.js")]),
    "go": ("go", "main.go", go), "java": ("javac", "Verify.java", java), "csharp": ("dotnet", "Program.cs", csharp),
    "php": ("php", "verify.php", lambda folder: ["php", str(folder / "verify.php")]),
    "swift": ("swiftc", "main.swift", swift),
}


def snippet(plant, language):
    tool, name, prepare = LANGUAGES[language]
    page = (REPOSITORY / "docs/WEBHOOKS.md").read_text()
    found = re.findall(rf"```{language}\n(.*?)```", page, re.S)
    equal(len(found), 1, f"snippets in {language}")
    if not shutil.which(tool):
        raise Skip(f"{tool} is not installed")
    (plant.directory / name).write_text(found[0])
    command = prepare(Path(plant.directory))

    def verify(id="evt_1", timestamp=None, body=b'{"a":"\xc3\xa4"}', secret=SECRET, sent=None, change=lambda one: one):
        timestamp = timestamp or int(time.time())
        delivery = {"fields": {"webhook-id": id, "webhook-timestamp": str(timestamp)}, "body": body}
        signature = change(signatures(delivery, secret))
        made = subprocess.run(
            command, input=body if sent is None else sent, capture_output=True, cwd=plant.directory, timeout=60,
            env={**os.environ, "WEBHOOK_SECRET": SECRET, "WEBHOOK_ID": id, "WEBHOOK_TIMESTAMP": str(timestamp),
                 "WEBHOOK_SIGNATURE": signature})
        holds(made.returncode in (0, 1), made.stderr[-500:])
        return made.returncode == 0

    other = "whsec_" + base64.b64encode(b"o" * 32).decode()
    holds(verify(), "what is genuine was refused")
    holds(verify(change=lambda one: "v1a,AAAA v1," + "A" * 43 + "= " + one), "any of several signatures will do")
    holds(not verify(sent=b'{"a":"b"}'), "a changed body was accepted")
    holds(not verify(secret=other), "another's signature was accepted")
    holds(not verify(timestamp=int(time.time()) - 3600), "an old delivery was accepted")
    holds(not verify(change=lambda one: one.replace("v1,", "v2,")), "another version was accepted")
    holds(not verify(change=lambda one: ""), "no signature was accepted")


def check_python(plant):
    snippet(plant, "python")


def check_node(plant):
    snippet(plant, "javascript")


def check_go(plant):
    snippet(plant, "go")


def check_java(plant):
    snippet(plant, "java")


def check_csharp(plant):
    snippet(plant, "csharp")


def check_php(plant):
    snippet(plant, "php")


def check_swift(plant):
    snippet(plant, "swift")


if __name__ == "__main__":
    main(globals())
