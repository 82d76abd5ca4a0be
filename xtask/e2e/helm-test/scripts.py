"""What the tests here have in common: the scripts that the chart gives its pods, `tests.py` with its parts and the logins that it has of `connections.py`, run as the pods run them.

The servers are those of the stand-ins' tests, so it is run as they are (README). Nothing here needs more than loopback.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pika
import redis

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "stand-ins")]
from contract import running  # noqa: E402
from local_servers import DATABASE_PASSWORD, DATABASE_PASSWORD_FOR_LIBPQ  # noqa: E402

FILES = HERE.parents[2] / "generator/templates/umbrella/files"
SCRIPTS = [FILES / "connections.py", *(FILES / "tests").glob("*.py")]
QUEUE, OTHER, EXCHANGE, CATCHES_ALL = "helm_test_queue", "helm_test_other", "helm_test_exchange", "helm_test_catches_all"
# What a user may do; its password is never its name, so that it can be looked for in what is said.
RIGHTS = {  # configure, write, read
    "publisher": (f"^{QUEUE}$", r"^amq\.default$", "^$"),
    "consumer": (f"^{QUEUE}$", "^$", f"^{QUEUE}$"),
    "through-exchange": (f"^{QUEUE}$", f"^({EXCHANGE}|{CATCHES_ALL})$", "^$"),
    "stranger": ("^$", r"^amq\.default$", f"^{QUEUE}$"),
}
PASSWORDS = {name: f"pw-{number}-Zkq" for number, name in enumerate((*RIGHTS, "creates-nothing", "cache", "deaf", "wrong"))}
SECRETS = {*PASSWORDS.values(), DATABASE_PASSWORD, DATABASE_PASSWORD_FOR_LIBPQ}


def definitions():
    return {
        "users": [{"name": name, "password": PASSWORDS[name], "tags": []} for name in RIGHTS],
        "permissions": [
            {"user": name, "vhost": "/", "configure": configure, "write": write, "read": read}
            for name, (configure, write, read) in RIGHTS.items()
        ],
        "queues": [{"name": name, "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}} for name in (QUEUE, OTHER)],
        "exchanges": [
            {"name": name, "vhost": "/", "type": "direct", "durable": True, "auto_delete": False, "internal": False, "arguments": arguments}
            for name, arguments in ((EXCHANGE, {}), (CATCHES_ALL, {"alternate-exchange": "amq.fanout"}))
        ],
        "bindings": [
            {"source": "amq.fanout", "vhost": "/", "destination": OTHER, "destination_type": "queue", "routing_key": "", "arguments": {}}
        ],
    }


class Page(BaseHTTPRequestHandler):
    """Answers with the status that the path names, and calls the server's own functions on what is posted and asked for."""

    def do_GET(self):
        self.reply(self.server.asked() if self.path.startswith("/page") else None)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.reply(self.server.posted(self.headers["Content-Type"], body) if self.path.startswith("/send") else None)

    def reply(self, text):
        status = 200 if text is not None else int(self.path.strip("/") or 200)
        text = (text or f"status {status}").encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Scripts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="helm-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        for script in SCRIPTS:  # in one folder, and not writable, as from ConfigMaps
            (cls.folder / script.name).write_bytes(script.read_bytes())
        cls.folder.chmod(0o555)

    def start(self, script, *arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "-I", str(self.folder / script), *map(str, arguments)],
            env={name: str(value) for name, value in environment.items()},  # no locale and no PATH, as little as a container may have
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(lambda: process.returncode is None and (process.kill(), process.communicate()))
        return process

    def ended(self, process, seconds=60):
        said, failed = (output.decode() for output in process.communicate(timeout=seconds))
        for secret in SECRETS:
            self.assertNotIn(secret, said + failed)
        self.assertEqual(failed, "")
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(script.name for script in SCRIPTS))
        return process.returncode, said

    def run_script(self, *arguments, **environment):
        return self.ended(self.start(*arguments, **environment))

    def serve(self, **functions):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        vars(server).update(functions)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_port

    def listen(self, answer=None):
        """A port on which somebody listens, and says that to whoever connects."""
        opened = socket.create_server(("127.0.0.1", 0))

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = opened.accept()
                    self.addCleanup(client.close)
                    if answer:
                        client.recv(1024)
                        client.sendall(answer)

        threading.Thread(target=accept, daemon=True).start()
        self.addCleanup(opened.close)
        self.addCleanup(opened.shutdown, socket.SHUT_RDWR)
        return opened.getsockname()[1]

    def write(self, text):
        handle, path = tempfile.mkstemp()
        self.addCleanup(os.remove, path)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class Servers(Scripts):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.servers = running()
        cls.servers.start()
        if getattr(cls.servers, "has_logins_of_helm_test", False):
            return
        cls.servers.has_logins_of_helm_test = True
        (cls.servers.broker.folder / "helm-test.json").write_text(json.dumps(definitions()))
        cls.servers.broker.control("import_definitions", str(cls.servers.broker.folder / "helm-test.json"))
        cls.servers.database.sql(f"CREATE ROLE \"creates-nothing\" LOGIN PASSWORD '{PASSWORDS['creates-nothing']}'")
        with redis.Redis(port=cls.servers.cache.port, username="observer", password="observer") as cache:
            cache.execute_command("ACL", "SETUSER", "cache", "on", f">{PASSWORDS['cache']}", "-@all", "+ping")
            cache.execute_command("ACL", "SETUSER", "deaf", "on", f">{PASSWORDS['deaf']}", "-@all")

    @contextlib.contextmanager
    def channel(self):
        credentials = pika.PlainCredentials("observer", "observer")
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.servers.broker.port, credentials=credentials))
        yield connection.channel()
        connection.close()

    def filled(self, *bodies):
        with self.channel() as channel:
            for queue in (QUEUE, OTHER):
                channel.queue_purge(queue)
            channel.confirm_delivery()
            for body in bodies:
                channel.basic_publish("", QUEUE, body, pika.BasicProperties(delivery_mode=2))

    def content(self, queue=QUEUE):
        with self.channel() as channel:
            return [body for _, _, body in iter(lambda: channel.basic_get(queue, auto_ack=True), (None, None, None))]

    def login(self, server, user, password=None):
        return {"H": "127.0.0.1", "P": server.port, "U": user, "W": password or PASSWORDS[user], "Q": QUEUE}

    def broker_says(self, check, user, **more):
        code, said = self.run_script(
            "tests.py", "access", check, **self.login(self.servers.broker, user, **more), X=EXCHANGE, A=CATCHES_ALL
        )
        self.assertEqual(said.count("\n"), 1, said)
        return code, said.replace(str(self.servers.broker.port), "PORT").strip()

    def database_says(self, *arguments):
        login = self.login(self.servers.database, *arguments) | {"D": "alerts_db"}
        code, said = self.run_script("tests.py", "access", "database+libpq=H,P,U,W,D", **login)
        return code, said.replace(str(self.servers.database.port), "PORT").strip()

    def cache_says(self, *arguments, kind="cache"):
        code, said = self.run_script("tests.py", "access", f"{kind}=H,P,U,W", **self.login(self.servers.cache, *arguments))
        return code, said.replace(str(self.servers.cache.port), "PORT").strip()
