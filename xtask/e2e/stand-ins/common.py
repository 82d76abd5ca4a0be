"""Code shared by the stand-ins: settings from the environment, a small HTTP server, logging to stdout, and orderly termination."""

import json
import logging
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

METRICS = "text/plain; version=0.0.4; charset=utf-8"


def settings(**wanted):
    """Reads environment variables into attributes. A type (`str`, `int`) marks a required variable; any other value is its default.

    If a variable is missing or malformed, prints all such variables and exits.
    """
    found, mistakes = {}, []
    for name, rule in wanted.items():
        required = isinstance(rule, type)
        text = os.environ.get(name)
        if text is None:
            found[name] = rule
            if required:
                mistakes.append(f"{name} is not set")
            continue
        try:
            found[name] = (rule if required else type(rule))(text)
        except ValueError:
            mistakes.append(f"{name} is not a whole number: {text!r}")
    if mistakes:
        sys.exit("cannot start: " + "; ".join(mistakes))
    return SimpleNamespace(**found)


def log_to_stdout(level="INFO"):
    logging.basicConfig(stream=sys.stdout, level=level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # pika logs ten lines per connection attempt; the programs log one


def serve(host, port, answer):
    """Serves HTTP in separate threads. `answer(method, path, query, body)` returns a status and a body:
    bytes are metrics, anything else becomes JSON. `None` becomes a 404."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self):
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = answer(self.command, url.path, dict(parse_qsl(url.query)), body) or (404, {"error": "not found"})
            kind = METRICS if isinstance(content, bytes) else "application/json"
            data = content if isinstance(content, bytes) else json.dumps(content, default=str).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = reply

        def log_message(self, *_):
            """Logs nothing: probes send a request every few seconds."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    logging.info("HTTP on port %s", port)


def until_terminated():
    """Waits for SIGTERM. Process 1 of a container has no default handler and would be killed only after the grace period."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
