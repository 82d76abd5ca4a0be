"""Runs the chart's scripts as its containers run them: from one read-only folder, with the variables of the container and no others.

The servers are those of the stand-ins' tests, so the tests run as theirs do (README). Nothing needs more than loopback. CHART_SHELL names the
shell of the `.sh` scripts (`sh` by default; `busybox sh` is the shell of Alpine's images).
"""

import contextlib
import json
import os
import shutil
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
from local_servers import DATABASE_PASSWORD, DATABASE_PASSWORD_FOR_LIBPQ, find  # noqa: E402

TEMPLATES = HERE.parents[2] / "generator/templates"
SCRIPTS = [
    *TEMPLATES.glob("connections/*.py"),
    *TEMPLATES.glob("connections/*.sh"),
    *TEMPLATES.glob("addons/helm-tests/*.py"),
    *(script for script in TEMPLATES.glob("kinds/*/*.*") if script.suffix in (".py", ".sh") and script.name != "provisioning.sh"),
]
SHELL = os.environ.get("CHART_SHELL", "sh").split()
QUEUE, OTHER_QUEUE, EXCHANGE, CATCH_ALL = "helm_test_queue", "helm_test_other", "helm_test_exchange", "helm_test_catches_all"
RIGHTS = {  # configure, write, read
    "publisher": (f"^{QUEUE}$", r"^amq\.default$", "^$"),
    "consumer": (f"^{QUEUE}$", "^$", f"^{QUEUE}$"),
    "through-exchange": (f"^{QUEUE}$", f"^({EXCHANGE}|{CATCH_ALL})$", "^$"),
    "no-configure": ("^$", r"^amq\.default$", f"^{QUEUE}$"),
}
# No password is part of a name, so that a test can look for it in the output.
USERS = (*RIGHTS, "creates-nothing", "pings", "pings-not", "wrong")
PASSWORDS = {user: f"pw-{number}-Zkq" for number, user in enumerate(USERS)}
SECRETS = {*PASSWORDS.values(), DATABASE_PASSWORD, DATABASE_PASSWORD_FOR_LIBPQ}
CONNECT_REMEDY = (
    "no Service has this name, nothing listens there (is its Pod ready?), or a NetworkPolicy blocks this Pod's way to it or to DNS"
)
LOGIN_REMEDY = "the Job that provisions the server sets its logins, passwords and rights (see its log)"


def definitions():
    return {
        "users": [{"name": name, "password": PASSWORDS[name], "tags": []} for name in RIGHTS],
        "permissions": [
            {"user": name, "vhost": "/", "configure": configure, "write": write, "read": read}
            for name, (configure, write, read) in RIGHTS.items()
        ],
        "queues": [
            {"name": name, "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}} for name in (QUEUE, OTHER_QUEUE)
        ],
        "exchanges": [
            {"name": name, "vhost": "/", "type": "direct", "durable": True, "auto_delete": False, "internal": False, "arguments": arguments}
            for name, arguments in ((EXCHANGE, {}), (CATCH_ALL, {"alternate-exchange": "amq.fanout"}))
        ],
        "bindings": [
            {"source": "amq.fanout", "vhost": "/", "destination": OTHER_QUEUE, "destination_type": "queue", "routing_key": "", "arguments": {}}
        ],
    }


class Page(BaseHTTPRequestHandler):
    """Answers with the status that the path names. Below /page and /send it calls the functions of its server."""

    def do_GET(self):
        self.reply(self.server.page() if self.path.startswith("/page") else None)

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


class Containers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="chart-scripts-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder, cls.programs = Path(folder.name) / "scripts", Path(folder.name) / "bin"
        cls.folder.mkdir()
        for script in SCRIPTS:
            (cls.folder / script.name).write_bytes(script.read_bytes())
        cls.folder.chmod(0o555)
        cls.programs.mkdir()
        with contextlib.suppress(FileNotFoundError):  # the tests of a server that is not installed are skipped
            (cls.programs / "psql").symlink_to(find("psql", "/usr/lib/postgresql/*/bin"))
        client = shutil.which("valkey-cli") or shutil.which("redis-cli")
        if client:
            (cls.programs / "valkey-cli").symlink_to(client)

    def start(self, script, *arguments, **environment):
        if script.endswith(".py"):
            command, path = [sys.executable, "-ISB"], {}
        else:
            command, path = SHELL, {"PATH": f"{self.programs}:{os.environ['PATH']}"}
        process = subprocess.Popen(
            [*command, str(self.folder / script), *map(str, arguments)],
            env=path | {name: str(value) for name, value in environment.items()},
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(lambda: process.returncode is None and (process.kill(), process.communicate()))
        return process

    def ended(self, process, seconds=60):
        """The exit code and the output. Checks what holds for each script: no password, no error output, no file beside the scripts."""
        output, errors = (stream.decode() for stream in process.communicate(timeout=seconds))
        for secret in SECRETS:
            self.assertNotIn(secret, output + errors)
        self.assertEqual(errors, "")
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(script.name for script in SCRIPTS))
        return process.returncode, output

    def run_script(self, *arguments, **environment):
        return self.ended(self.start(*arguments, **environment))

    def first_line(self, process):
        line = process.stdout.readline().decode()
        process.terminate()
        return self.ended(process)[0], line

    def serve(self, **functions):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        vars(server).update(functions)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_port

    def listen(self, answer=None, host="127.0.0.1"):
        """A port that accepts connections, and answers each with this."""
        opened = socket.create_server((host, 0))

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


class Servers(Containers):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.servers = running()
        cls.servers.start()
        if getattr(cls.servers, "has_users_of_containers", False):
            return
        cls.servers.has_users_of_containers = True
        (cls.servers.broker.folder / "containers.json").write_text(json.dumps(definitions()))
        cls.servers.broker.control("import_definitions", str(cls.servers.broker.folder / "containers.json"))
        role = "creates-nothing"
        cls.servers.database.sql(f"DROP ROLE IF EXISTS \"{role}\"; CREATE ROLE \"{role}\" LOGIN PASSWORD '{PASSWORDS[role]}'")

    def setUp(self):
        self.servers.start()  # what another test left stopped
        with redis.Redis(port=self.servers.cache.port, username="observer", password="observer") as cache:  # which keeps them until it stops
            cache.execute_command("ACL", "SETUSER", "pings", "on", f">{PASSWORDS['pings']}", "-@all", "+ping")
            cache.execute_command("ACL", "SETUSER", "pings-not", "on", f">{PASSWORDS['pings-not']}", "-@all")

    @contextlib.contextmanager
    def channel(self):
        credentials = pika.PlainCredentials("observer", "observer")
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.servers.broker.port, credentials=credentials))
        yield connection.channel()
        connection.close()

    def amqp(self, user, password=None, port=None):
        return {
            "AMQP_HOST": "127.0.0.1",
            "AMQP_PORT": port or self.servers.broker.port,
            "AMQP_USER": user,
            "AMQP_PASSWORD": password or PASSWORDS[user],
        }

    def postgresql(self, user="alerts", password=None, port=None, variable="LIBPQ_PASSWORD"):
        password = password or (DATABASE_PASSWORD_FOR_LIBPQ if user == "alerts" else PASSWORDS[user])
        login = {"PGHOST": "127.0.0.1", "PGPORT": port or self.servers.database.port, "PGUSER": user, "PGDATABASE": "alerts_db"}
        return login | {variable: password}

    def valkey(self, user=None, password=None, port=None):
        login = {"VALKEY_HOST": "127.0.0.1", "VALKEY_PORT": port or self.servers.cache.port}
        return login | ({"VALKEY_USER": user, "VALKEY_PASSWORD": password or PASSWORDS[user]} if user else {})
