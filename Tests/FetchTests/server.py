"""An HTTP server for the tests of Fetch: `server.py [CERT KEY [CLIENT_CA]]` prints its port and serves until its parent ends."""

import http.server
import os
import socket
import ssl
import sys
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = 0

    def answer(self, body, status=200, fields=()):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        Handler.seen += 1
        if self.path == "/hello":
            self.answer(b"hello", fields=[("X-Empty", ""), ("X-Twice", "one"), ("X-Twice", "two")])
        elif self.path == "/redirect":
            self.answer(b"", 302, [("Location", "/hello")])
        elif self.path.startswith("/big/"):
            self.answer(b"x" * int(self.path[5:]))
        elif self.path.startswith("/bighead/"):
            self.answer(b"", fields=[("X-Big", "y" * 1000)] * int(self.path[9:]))
        elif self.path == "/slow":
            time.sleep(60)
            self.answer(b"late")
        elif self.path == "/drip":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"only this")
            self.wfile.flush()
            self.close_connection = True
        elif self.path == "/gone":
            self.close_connection = True
        elif self.path == "/garbage":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
            self.close_connection = True
        elif self.path == "/interim":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            self.answer(b"final", fields=[("X-Final", "yes")])
        elif self.path == "/fields":
            self.answer("".join(f"{k}: {v}\n" for k, v in self.headers.items()).encode())
        elif self.path == "/seen":
            self.answer(str(Handler.seen).encode())
        elif self.path == "/who":
            certificate = self.connection.getpeercert() or {}
            names = [v for part in certificate.get("subject", ()) for k, v in part if k == "commonName"]
            self.answer(",".join(names).encode())
        elif self.path.startswith("http://"):
            self.answer(b"by proxy " + self.path.encode())
        else:
            self.answer(b"nothing here", 404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(self.command.encode() + b" " + body)

    do_PUT = do_DELETE = do_PATCH = do_POST

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", "12345")
        self.end_headers()

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    if len(sys.argv) > 3:
        context.load_verify_locations(sys.argv[3])
        context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
parent = os.getppid()
while os.getppid() == parent:
    time.sleep(1)
