"""Clients that tell the stories of `mix.py` to a gateway, whatever becomes of it: what has no answer is sent again
under its key, what has no outcome yet is put aside and asked for later."""
import http.client
import json
import threading
import time
from collections import Counter, deque

from plant import Answer

PATIENT = {"idempotency-in-flight", "outcome-unknown"}


def send(gateway, call, key, token, seconds=8, prefer=None):
    """One request; None where there was no whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.ports["plain"], timeout=seconds)
    fields = {"Authorization": "Bearer " + token}
    if call.operation:
        fields["Idempotency-Key"] = key
        if prefer:
            fields["Prefer"] = prefer
    body = None
    if call.body is not None:
        body, fields["Content-Type"] = json.dumps(call.body), "application/json"
    try:
        connection.request(call.method, call.path, body=body, headers=fields)
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def kind(answer):
    """The kind of a refusal."""
    try:
        return answer.json["type"].rpartition("/")[2]
    except (ValueError, KeyError, TypeError):
        return ""


class Tale:
    """A story that is being told, and the call it waits for."""

    def __init__(self, told, stage):
        self.scene = told.scene(stage)
        self.steps = told.story.tell(self.scene)
        self.name, self.count = told.name, 0
        self.call = next(self.steps)
        self.ready = 0.0

    @property
    def key(self):
        return f"{self.name}-{self.count}"

    def go_on(self, answer):
        """False at the end."""
        self.count += 1
        try:
            self.call = self.steps.send(answer)
            return True
        except StopIteration:
            return False


class Counts:
    """What all clients of a run have seen; `acknowledged` is the clock of its schedule, which they do not outrun."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seen = Counter()
        self.changed = threading.Condition(self.lock)
        self.problems = []
        self.horizon = float("inf")

    def turn(self):
        """Waits where more is acknowledged than the schedule has come to."""
        with self.lock:
            self.changed.wait_for(lambda: self.seen["acknowledged"] < self.horizon, 60)

    def move_horizon(self, to):
        with self.lock:
            self.horizon = to
            self.changed.notify_all()

    def note(self, what, count=1):
        with self.lock:
            self.seen[what] += count
            self.changed.notify_all()

    def problem(self, text):
        with self.lock:
            self.seen["problems"] += 1
            self.problems.append(text)
            self.changed.notify_all()


class Client(threading.Thread):
    """Tells its stories one after the other. What is not known yet is told on later."""

    def __init__(self, gateway, stage, programme, counts, token):
        super().__init__(daemon=True)
        self.gateway, self.stage, self.counts, self.token = gateway, stage, counts, token
        self.programme, self.waiting, self.books = deque(programme), deque(), []
        self.isOver = threading.Event()

    def run(self):
        while not self.isOver.is_set():
            tale = self.next()
            if tale is None:
                if not self.waiting:
                    return
                time.sleep(0.02)
                continue
            try:
                self.tell(tale)
            except Exception as error:
                self.counts.problem(f"{tale.name}: {tale.call.path}: {type(error).__name__}: {error}")
                self.books.append(tale.scene.book)

    def next(self):
        now = time.monotonic()
        for _ in range(len(self.waiting)):
            tale = self.waiting.popleft()
            if tale.ready <= now:
                return tale
            self.waiting.append(tale)
        return Tale(self.programme.popleft(), self.stage) if self.programme else None

    def tell(self, tale):
        while not self.isOver.is_set():
            self.counts.turn()
            answer = self.send(tale)
            if answer is None:
                self.counts.note("torn")
                time.sleep(0.03)
            elif answer.status == 202:
                # Accepted: what comes of it is asked for under the same key.
                self.counts.note("accepted")
                tale.ready = time.monotonic() + 0.1
                self.waiting.append(tale)
                return
            elif answer.status < 300:
                self.counts.note("replayed", answer.field("Idempotent-Replayed") == "true")
                if tale.call.operation:
                    self.counts.note("acknowledged")
                if not tale.go_on(answer.json):
                    self.books.append(tale.scene.book)
                    return
            elif kind(answer) in PATIENT:
                self.counts.note("put aside")
                tale.ready = time.monotonic() + 0.3
                self.waiting.append(tale)
                return
            elif answer.status in (503, 502, 504, 429):
                # Nothing was done, or the read failed: the same again.
                self.counts.note("not now")
                time.sleep(0.1)
            else:
                self.counts.problem(f"{tale.key}: {tale.call.operation}: {answer}")
                self.books.append(tale.scene.book)
                return
        self.waiting.append(tale)

    def send(self, tale):
        return send(self.gateway, tale.call, tale.key, self.token)

    def open(self):
        """What has no outcome at the end."""
        return [tale.key for tale in self.waiting]
