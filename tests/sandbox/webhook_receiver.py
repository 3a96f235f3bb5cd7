"""A receiver of webhooks on loopback, for tests: keeps what it gets and answers as told."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SAVED = {"object": "L2CB2BUnit"}


class Receiver(ThreadingHTTPServer):
    """Takes every POST; `answers` are the statuses of the next ones, then 202."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        self.taken, self.answers, self.delay_s, self.lock = [], [], 0.0, threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def subjects(self):
        return [headers["ce-subject"] for headers, _ in self.taken]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        answer, status = b"", 202
        with server.lock:
            if self.path == "/token":
                answer, status = json.dumps({"access_token": "t-1", "expires_in": 3600}).encode(), 200
            elif server.answers:
                status = server.answers.pop(0)
            server.taken.append(
                ({name.lower(): value for name, value in self.headers.items()} | {"path": self.path}, body)
            )
        time.sleep(server.delay_s)
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def listening():
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        receiver.server_close()


def quiet(shop):
    """Wait until no notification is under way; the counters."""
    end = time.monotonic() + 10
    while shop.control("GET", "/webhooks")["pending"]:
        assert time.monotonic() < end, shop.control("GET", "/webhooks")
        time.sleep(0.02)
    return shop.control("GET", "/webhooks")


def listen(shop, receiver, *hooks, **settings):
    shop.control("DELETE", "/stats")
    given = [{"url": receiver.url + "/in", **hook} for hook in hooks or (SAVED,)]
    return shop.settings(webhooks=given, webhook_retry_s=0.1, **settings)
