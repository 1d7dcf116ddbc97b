"""The wire between the gateway and Odoo: one connection for each call, and what may go wrong with its bytes."""
import threading
import time
from collections import Counter, deque

from plant import Server
import socket

KINDS = {
    "cut_request": "half of the request arrives, and the connection ends",
    "cut_answer": "Odoo has done it; half of the answer arrives",
    "doubled": "the answer comes twice on its connection",
    "hold_request": "the call reaches Odoo after others that were sent later",
    "reordered": "the answer waits until that of a later call has gone",
}
WAIT_MAX = 0.6


class Wire(Server):
    """Forwards to `port()`, which may change. Faults strike writes in the order in which they were added."""

    def __init__(self, port):
        self.target = port
        self.waiting, self.struck = deque(), Counter()
        self.turn = threading.Condition()
        self.passed = 0
        super().__init__(self.forward)

    def add(self, kind, part=0.5):
        with self.turn:
            self.waiting.append((kind, part))

    def fault(self, head):
        """The one for this call, if it changes something."""
        path = head.split(" ", 2)[1]
        method = path.rpartition("/")[2]
        if not path.startswith("/json") or method in ("read", "search_read", "search_count", "get_metadata"):
            return None, 0
        with self.turn:
            if not self.waiting:
                return None, 0
            kind, part = self.waiting.popleft()
            self.struck[kind] += 1
            return kind, part

    def forward(self, connection, head, number):
        body = connection.body(head)
        request = head.encode("latin-1") + b"\r\n\r\n" + body
        # Only requests with a length: the gateway sends no others to Odoo.
        kind, part = self.fault(head)
        if kind == "hold_request":
            self.let_another_pass()
        try:
            with socket.create_connection(("127.0.0.1", self.target()), timeout=60) as odoo:
                odoo.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if kind == "cut_request":
                    odoo.sendall(request[:max(1, int(len(request) * part))])
                    return False
                odoo.sendall(request)
                answer = b""
                while True:
                    some = odoo.recv(65536)
                    if not some:
                        break
                    answer += some
        except OSError:
            return False
        if kind == "reordered":
            self.let_another_pass()
        if kind == "cut_answer":
            answer = answer[:int(len(answer) * part)]
        connection.send(answer * 2 if kind == "doubled" else answer)
        with self.turn:
            self.passed += 1
            self.turn.notify_all()
        return False

    def let_another_pass(self):
        with self.turn:
            seen = self.passed
            self.turn.wait_for(lambda: self.passed > seen, WAIT_MAX)
