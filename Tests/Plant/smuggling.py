"""Request smuggling, end to end: a server behind records every byte, and nothing ambiguous may reach it.

Each row is the class, the RFC's section that decides it, the bytes, and the status that they get; None where the
request is valid and must arrive whole, as one request, its bait inside the body. Tests/HTTPTests/SmugglingTests.swift
holds the larger table for the codec alone.
"""
import re

from plant import equal, holds, main, parse_answer, proxying, read_all

BAIT = "GET /open/smuggled HTTP/1.1\r\nHost: gateway\r\n\r\n"
POST = "POST /open/front HTTP/1.1\r\nHost: gateway\r\n"
CHUNKED = POST + "Transfer-Encoding: chunked\r\n"
LEN = len(BAIT)


def obfuscated(value, name="Transfer-Encoding", separator=": "):
    return POST + f"{name}{separator}{value}\r\nContent-Length: 4\r\n\r\n5c\r\n" + BAIT


ROWS = [
    # CL.TE and TE.CL: both lengths.
    ("CL.TE", "9112 §6.1", POST + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + BAIT, 400),
    ("TE.CL", "9112 §6.1",
     POST + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + BAIT + "\r\n0\r\n\r\n",
     400),
    ("CL.TE, the length 0", "9112 §6.1",
     POST + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + BAIT, 400),
    # TE.TE: one of the two should not recognise it.
    *[(f"TE.TE {value!r}", "9112 §6.1", obfuscated(value), status) for value, status in [
        ("xchunked", 400), ("chunked, identity", 400), ("identity, chunked", 400), ("chunked, chunked", 400),
        ("chunked;q=1", 400), ("\tchunked", 400), ("chunked\t", 400), ("'chunked'", 400), ('"chunked"', 400),
        ("chunk", 400), ("gzip", 400), ("gzip, chunked", 400), ("identity", 400), ("", 400), (",chunked", 400),
        ("chunked,", 400), ("CHUNKED", 400), ("ch\x00unked", 400), ("chunked\x0b", 400), ("chunked\x00", 400)]],
    ("TE.TE twice", "9112 §6.1", CHUNKED + "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" + BAIT, 400),
    ("TE.TE twice the same", "9112 §6.1", CHUNKED + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + BAIT, 400),
    ("TE.TE space before the colon", "9112 §5.1", obfuscated("chunked", separator=" : "), 400),
    ("TE.TE tab before the colon", "9112 §5.1", obfuscated("chunked", separator="\t: "), 400),
    ("TE.TE no space", "9112 §6.1", obfuscated("chunked", separator=":"), 400),
    ("TE.TE folded", "9112 §5.2",
     POST + "Transfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + BAIT, 400),
    ("TE.TE by an underscore", "9110 §5.1", obfuscated("chunked", name="Transfer_Encoding"), 400),
    ("TE.TE hidden in a bare CR", "9112 §2.2",
     POST + "X: y\rTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\nabcd",
     400),
    ("TE.TE hidden in a bare LF", "9112 §2.2", POST + "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + BAIT, 400),
    ("TE in HTTP/1.0", "9112 §6.1", CHUNKED.replace("1.1", "1.0") + "\r\n0\r\n\r\n" + BAIT, 400),
    ("a coding that is not known", "9112 §6.1", POST + "Transfer-Encoding: gzip\r\n\r\n" + BAIT, 501),
    # CL.0 and 0.CL.
    ("CL.0 on GET", "9112 §6.3",
     f"GET /open/front HTTP/1.1\r\nHost: gateway\r\nContent-Length: {LEN}\r\n\r\n" + BAIT, None),
    ("CL.0 on HEAD", "9112 §6.3",
     f"HEAD /open/front HTTP/1.1\r\nHost: gateway\r\nContent-Length: {LEN}\r\n\r\n" + BAIT, None),
    ("CL.0 on DELETE", "9112 §6.3",
     f"DELETE /open/front HTTP/1.1\r\nHost: gateway\r\nContent-Length: {LEN}\r\n\r\n" + BAIT,
     None),
    ("0.CL by a name with a space", "9112 §5.1", POST + f"Content-Length : {LEN}\r\n\r\n" + BAIT, 400),
    ("0.CL by a leading space", "9112 §2.2",
     f"POST /open/front HTTP/1.1\r\n Content-Length: {LEN}\r\nHost: g\r\n\r\n" + BAIT,
     400),
    ("0.CL by an underscore", "9110 §5.1", POST + f"Content_Length: {LEN}\r\n\r\n" + BAIT, 400),
    ("0.CL named in Connection", "9110 §7.6.1",
     POST + f"Connection: content-length\r\nContent-Length: {LEN}\r\n\r\n" + BAIT,
     400),
    ("Host named in Connection", "9110 §7.6.1",
     POST + f"Connection: host\r\nContent-Length: {LEN}\r\n\r\n" + BAIT, 400),
    ("Transfer-Encoding named in Connection", "9110 §7.6.1",
     CHUNKED + "Connection: transfer-encoding\r\n\r\n0\r\n\r\n" + BAIT,
     400),
    # Lengths.
    ("two lengths", "9112 §6.3", POST + f"Content-Length: 0\r\nContent-Length: {LEN}\r\n\r\n" + BAIT, 400),
    ("two equal lengths", "9112 §6.3", POST + f"Content-Length: {LEN}\r\nContent-Length: {LEN}\r\n\r\n" + BAIT, 400),
    *[(f"length {value!r}", "9110 §8.6", POST + f"Content-Length: {value}\r\n\r\n" + BAIT, 400) for value in [
        f"0, {LEN}", f"{LEN}, {LEN}", f"{LEN},", f"+{LEN}", f"-{LEN}", "0x2f", f"{LEN}.0", "1e1", "", "²", f"{LEN} 0",
        f"{LEN};a", "18446744073709551616", "9223372036854775808", "99999999999999999999999", f"\x0b{LEN}", "1_0"]],
    # Lines.
    ("bare LF after the request line", "9112 §2.2", "GET /open/front HTTP/1.1\nHost: gateway\r\n\r\n" + BAIT, 400),
    ("bare LF between fields", "9112 §2.2", POST + f"X: y\nContent-Length: {LEN}\r\n\r\n" + BAIT, 400),
    ("bare LF as the empty line", "9112 §2.2", POST + "X: y\r\n\n" + BAIT, 400),
    ("bare CR in a value", "9112 §2.2", POST + f"X: y\rContent-Length: {LEN}\r\n\r\n" + BAIT, 400),
    ("a folded field", "9112 §5.2", POST + f"X: y\r\n Content-Length: {LEN}\r\n\r\n" + BAIT, 400),
    ("NUL in a value", "9110 §5.5", POST + "X: a\0b\r\n\r\n" + BAIT, 400),
    ("a field without a colon", "9112 §5", POST + "Content-Length\r\n\r\n" + BAIT, 400),
    ("an empty name", "9112 §5.1", POST + f": {LEN}\r\n\r\n" + BAIT, 400),
    # Chunks.
    ("a chunk extension", "9112 §7.1.1", CHUNKED + "\r\n5;a=b\r\nhello\r\n0\r\n\r\n", 400),
    ("an extension with a line feed", "9112 §7.1.1", CHUNKED + "\r\n2;\nxx\r\n4c\r\n0\r\n\r\n" + BAIT, 400),
    ("a size beyond 64 bits", "9112 §7.1", CHUNKED + "\r\n10000000000000000\r\n" + BAIT, 400),
    ("a size of many zeros", "9112 §7.1", CHUNKED + "\r\n" + "0" * 40 + "\r\n\r\n" + BAIT, 400),
    *[(f"a size {size!r}", "9112 §7.1", CHUNKED + f"\r\n{size}\r\nhello\r\n0\r\n\r\n" + BAIT, 400) for size in [
        "0x5", "+5", "-5", " 5", "5 ", "5\t", "", "g", "5_", "5\r"]],
    ("bare LF after a size", "9112 §2.2", CHUNKED + "\r\n5\nhello\r\n0\r\n\r\n" + BAIT, 400),
    ("a chunk longer than its size", "9112 §7.1", CHUNKED + "\r\n3\r\nhello\r\n0\r\n\r\n" + BAIT, 400),
    ("a chunk without its end", "9112 §7.1", CHUNKED + "\r\n5\r\nhelloXX0\r\n\r\n" + BAIT, 400),
    ("bare LF behind a chunk", "9112 §2.2", CHUNKED + "\r\n5\r\nhello\n0\r\n\r\n" + BAIT, 400),
    # Trailers.
    ("a trailer that forges a length", "9110 §6.5.1", CHUNKED + f"\r\n0\r\nContent-Length: {LEN}\r\n\r\n" + BAIT, 400),
    ("a trailer that forges Transfer-Encoding", "9110 §6.5.1",
     CHUNKED + "\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n" + BAIT, 400),
    ("a trailer that forges Authorization", "9110 §6.5.1",
     CHUNKED + "\r\n0\r\nAuthorization: Bearer x\r\n\r\n" + BAIT, 400),
    ("a trailer that forges Host", "9110 §6.5.1", CHUNKED + "\r\n0\r\nHost: evil\r\n\r\n" + BAIT, 400),
    # Targets and hosts.
    ("absolute-form and another Host", "9112 §3.2.2",
     "GET http://evil.example/open/front HTTP/1.1\r\nHost: gateway\r\n\r\n",
     400),
    ("two Hosts", "9112 §3.2", "GET /open/front HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + BAIT, 400),
    ("no Host", "9112 §3.2", "GET /open/front HTTP/1.1\r\n\r\n" + BAIT, 400),
    ("a Host with a path", "9110 §7.2", "GET /open/front HTTP/1.1\r\nHost: a/b\r\n\r\n" + BAIT, 400),
    ("a Host with an account", "9110 §7.2", "GET /open/front HTTP/1.1\r\nHost: a@b\r\n\r\n" + BAIT, 400),
    ("a list of Hosts", "9110 §7.2", "GET /open/front HTTP/1.1\r\nHost: a, b\r\n\r\n" + BAIT, 400),
    ("a space in the target", "9112 §3.2", "GET /open/front x HTTP/1.1\r\nHost: gateway\r\n\r\n" + BAIT, 400),
    ("a fragment in the target", "9112 §3.2", "GET /open/front#x HTTP/1.1\r\nHost: gateway\r\n\r\n" + BAIT, 400),
    ("a line end in the target, encoded", "9110 §4.2.4",
     "GET /open/x%0d%0aX:y HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n", 400),
    ("authority-form", "9112 §3.2.3", "GET gateway:80 HTTP/1.1\r\nHost: gateway\r\n\r\n" + BAIT, 400),
    ("asterisk-form on GET", "9112 §3.2.4", "GET * HTTP/1.1\r\nHost: gateway\r\n\r\n" + BAIT, 400),
    ("two spaces in the request line", "9112 §3", "GET  /open/front HTTP/1.1\r\nHost: gateway\r\n\r\n" + BAIT, 400),
    ("a tab in the request line", "9112 §3", "GET\t/open/front HTTP/1.1\r\nHost: gateway\r\n\r\n" + BAIT, 400),
    ("an odd version", "9112 §2.3", "GET /open/front HTTP/1.01\r\nHost: gateway\r\n\r\n" + BAIT, 400),
    ("a version of HTTP/0.9", "9112 §2.3", "GET /open/front\r\n\r\n" + BAIT, 400),
    # Expect.
    ("an early Expect with its body", "9110 §10.1.1",
     POST + f"Expect: 100-continue\r\nContent-Length: {LEN}\r\n\r\n" + BAIT, None),
    ("an obfuscated Expect", "9110 §10.1.1",
     POST + f"Expect: y 100-continue\r\nContent-Length: {LEN}\r\n\r\n" + BAIT, 417),
    ("Expect on GET with a body", "9110 §10.1.1",
     f"GET /open/front HTTP/1.1\r\nHost: gateway\r\nExpect: 100-continue\r\nContent-Length: {LEN}\r\n\r\n" + BAIT,
     None),
    # Upgrades.
    ("Upgrade with a body", "9110 §7.8",
     POST + f"Connection: Upgrade, close\r\nUpgrade: websocket\r\nContent-Length: {LEN}\r\n\r\n" + BAIT, 400),
    ("Upgrade: h2c", "9113 §3.1",
     "GET /open/front HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade, close\r\n"
     "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n" + BAIT, 400),
    # What is valid arrives as what it is.
    ("a chunked body with the bait inside", "9112 §7.1", CHUNKED + f"\r\n{LEN:x}\r\n{BAIT}\r\n0\r\n\r\n", None),
    ("a length with the bait inside", "9112 §6.3", POST + f"Content-Length: {LEN}\r\n\r\n" + BAIT, None),
]


def read_strictly(data):
    """Requests in what a server received, by a grammar that knows one way only; fails on anything else."""
    found = []
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        holds(end, f"a head without its end: {head[:200]!r}")
        lines = head.split(b"\r\n")
        holds(re.fullmatch(rb"(GET|HEAD|POST|DELETE|PUT|OPTIONS) /[!-~]* HTTP/1\.1", lines[0]), f"{lines[0]!r}")
        fields = {}
        for line in lines[1:]:
            match = re.fullmatch(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([\t !-~\x80-\xff]*)", line)
            holds(match, f"the field line {line!r}")
            fields.setdefault(match[1].lower(), []).append(match[2])
        for name, most in [(b"host", 1), (b"content-length", 1), (b"transfer-encoding", 1), (b"connection", 1)]:
            holds(len(fields.get(name, [])) <= most, f"{name} {len(fields.get(name, []))} times")
        equal(len(fields.get(b"host", [])), 1, "Host")
        holds(b"_" not in b"".join(fields), f"an underscore in {list(fields)}")
        length, coding = fields.get(b"content-length"), fields.get(b"transfer-encoding")
        holds(not (length and coding), "both lengths")
        body = b""
        if length:
            holds(re.fullmatch(rb"0|[1-9][0-9]*", length[0]), f"the length {length}")
            body, data = data[:int(length[0])], data[int(length[0]):]
            holds(len(body) == int(length[0]), "the body is cut")
        elif coding:
            equal(coding, [b"chunked"])
            while True:
                size, _, data = data.partition(b"\r\n")
                holds(re.fullmatch(rb"[0-9a-fA-F]{1,15}", size), f"the chunk size {size!r}")
                count = int(size, 16)
                body, tail, data = body + data[:count], data[count:count + 2], data[count + 2:]
                equal(tail, b"\r\n", "the end of a chunk")
                if count == 0:
                    break
        found.append((lines[0], body))
    return found


def answer(connection, head, number):
    body = connection.body(head)
    kept.append((head.split("\r\n")[0], body))
    head_only = head.startswith("HEAD")
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + (b"" if head_only else b"ok"))


kept = []


def check_nothing_ambiguous_reaches_a_server(plant):
    back = plant.server(answer)
    gateway = plant.gateway(changes=proxying(back))
    wrong = []
    for name, section, data, status in ROWS:
        del kept[:]
        with gateway.connect() as s:
            # An honest request behind it on the same connection: it must not become part of the first, nor be answered
            # with what belongs to another.
            s.sendall(data.encode("latin-1"))
            if status is None:
                s.sendall(b"GET /open/behind HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
            try:
                said = read_all(s, 5)
            except AssertionError as error:
                wrong.append(f"{name} (RFC {section}): {error}")
                continue
        try:
            if status is None:
                said = re.sub(rb"^HTTP/1.1 100 Continue\r\n\r\n", b"", said)
                equal(said.count(b"HTTP/1.1 200 OK"), 2, f"answers in {said!r}")
                equal([line.split(" ")[1] for line, _ in kept], ["/open/front", "/open/behind"])
                equal(kept[0][1], BAIT.encode(), "the body")
            else:
                equal(parse_answer(said).status, status, f"{said[:300]!r}")
                equal(said.count(b"HTTP/1.1 "), 1, "answers")
                equal((parse_answer(said).field("Connection") or "").lower(), "close")
        except AssertionError as error:
            wrong.append(f"{name} (RFC {section}): {error}")
        if any("smuggled" in line for line, _ in kept):
            wrong.append(f"{name} (RFC {section}): the bait was taken")
    holds(not wrong, "\n".join(wrong))
    # Requests that were refused in their body have reached the server in part, and were cut off there.
    with back.lock:
        pieces = b"".join(back.received)
    holds(b"GET /open/smuggled" not in pieces.replace(BAIT.encode(), b""), "the bait came as a request")
    print(f"      {len(ROWS)} rows, {len(back.heads)} requests reached the server")


def check_all_that_a_server_receives_has_one_meaning(plant):
    """The valid rows again, on one connection to the server, read by a grammar that knows one way only."""
    back = plant.server(answer)
    gateway = plant.gateway(changes=proxying(back))
    valid = [row for row in ROWS if row[3] is None]
    for _, _, data, _ in valid:
        with gateway.connect() as s:
            s.sendall(data.encode("latin-1"))
            s.sendall(b"GET /open/behind HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
            read_all(s, 15)
    found = read_strictly(back.text())
    equal(len(found), 2 * len(valid))
    equal([body for _, body in found], [BAIT.encode(), b""] * len(valid))


if __name__ == "__main__":
    main(globals())
