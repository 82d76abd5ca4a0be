"""Real servers for the tests: broker, database and cache on free loopback ports, with data in a temporary folder.

Their logins have the rights that the chart grants: one broker user per service, a database owned by its role, and a cache whose
default user may run the commands of audit-log-analysis.
"""

import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

QUEUES = ("audit_events", "audit_alerts")
RIGHTS = {  # configure, write, read
    "generator": ("^audit_events$", r"^amq\.default$", "^$"),
    "analysis": ("^(audit_events|audit_alerts)$", r"^amq\.default$", "^audit_events$"),
    "notification": ("^audit_alerts$", "^$", "^audit_alerts$"),
    "observer": (".*", ".*", ".*"),
}
CACHE_RIGHTS = (
    "user default on nopass resetchannels -@all ~failed_logins_zset:* "
    "+ping +zadd +zremrangebyscore +zcard +expire +multi +exec +discard +client|setinfo +client|setname\n"
    "user observer on >observer +@all ~* &*\n"
)
# A password that needs libpq's quoting: it has a space, a quote and a backslash.
DATABASE_PASSWORD = r"it's a \ secret"
DATABASE_PASSWORD_FOR_LIBPQ = r"'it\'s a \\ secret'"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as opened:
        return opened.getsockname()[1]


def eventually(what, seconds, question):
    """Calls `question` until its result is true, and returns the result."""
    until = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > until:
            raise AssertionError(f"timed out after {seconds} s: {what}")
        time.sleep(0.1)
    return answer


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def find(program, *folders):
    found = shutil.which(program) or next((path for folder in folders for path in glob.glob(f"{folder}/{program}")), None)
    if not found:
        raise FileNotFoundError(program)
    return found


class Server:
    """A server process that can be stopped and restarted on the same port with the same data."""

    stop_signal = signal.SIGTERM
    user = None

    def __init__(self, folder):
        self.folder, self.port, self.process = Path(folder) / type(self).__name__.lower(), free_port(), None
        self.folder.mkdir()
        if self.user:
            shutil.chown(self.folder, self.user)
        self.prepare()

    def environment(self):
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(self.folder)}

    def run(self, *command):
        return subprocess.run(
            command, env=self.environment(), user=self.user, cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout

    def start(self):
        if self.process:
            return
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen(
                self.command(), env=self.environment(), user=self.user, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        eventually(f"{type(self).__name__} ready", 60, lambda: self.process.poll() is not None or self.ready())
        if self.process.poll() is not None:
            self.process = None
            raise RuntimeError(f"{type(self).__name__} ended: {(self.folder / 'log').read_text()[-2000:]}")

    def stop(self):
        if self.process:
            self.process.send_signal(self.stop_signal)
            self.process.wait(60)
            self.process = None

    def ready(self):
        return accepts(self.port)


class Broker(Server):
    def prepare(self):
        self.server = find("rabbitmq-server", "/usr/lib/rabbitmq/bin")
        if os.path.exists("/usr/lib/rabbitmq/bin/rabbitmq-server"):  # Debian's wrapper script would change the user
            self.server = "/usr/lib/rabbitmq/bin/rabbitmq-server"
        self.names = free_port()  # of epmd
        definitions = {
            "vhosts": [{"name": "/"}],
            "users": [{"name": name, "password": name, "tags": []} for name in RIGHTS],
            "permissions": [
                {"user": name, "vhost": "/", "configure": configure, "write": write, "read": read}
                for name, (configure, write, read) in RIGHTS.items()
            ],
        }
        (self.folder / "definitions.json").write_text(json.dumps(definitions))
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.local = 127.0.0.1:{self.port}\nload_definitions = {self.folder}/definitions.json\n"
        )
        (self.folder / "enabled_plugins").write_text("[].\n")
        self.epmd = subprocess.Popen(
            [find("epmd", "/usr/lib/erlang/erts-*/bin"), "-port", str(self.names), "-address", "127.0.0.1"],
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def environment(self):
        return super().environment() | {
            "RABBITMQ_NODENAME": "e2e@localhost",
            "RABBITMQ_CONFIG_FILE": f"{self.folder}/rabbitmq.conf",
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_MNESIA_BASE": f"{self.folder}/data",
            "RABBITMQ_LOG_BASE": f"{self.folder}/logs",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{self.folder}/enabled_plugins",
            "RABBITMQ_DIST_PORT": str(self.names - 1),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "ERL_EPMD_PORT": str(self.names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def command(self):
        return [self.server]

    def control(self, *arguments):
        return self.run(os.path.join(os.path.dirname(self.server), "rabbitmqctl"), "--silent", *arguments)

    def end(self):
        self.stop()
        self.epmd.send_signal(signal.SIGTERM)
        self.epmd.wait(10)


class Database(Server):
    stop_signal = signal.SIGINT  # fast shutdown: does not wait for clients to disconnect
    user = "postgres" if os.geteuid() == 0 else None

    def prepare(self):
        self.server = find("postgres", "/usr/lib/postgresql/*/bin")
        self.run(
            os.path.join(os.path.dirname(self.server), "initdb"),
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--username=admin",
            "--no-sync",
            "--pgdata=data",
        )

    def command(self):
        return [
            self.server,
            "-D",
            "data",
            "-p",
            str(self.port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"unix_socket_directories={self.folder}",
            "-c",
            "fsync=off",
        ]

    def sql(self, statement, database="alerts_db"):
        return self.run(
            find("psql", os.path.dirname(self.server)),
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            str(self.folder),
            "-p",
            str(self.port),
            "-U",
            "admin",
            "-d",
            database,
            "-c",
            statement,
        ).splitlines()

    def ready(self):
        try:
            return self.sql("SELECT 1", "postgres")
        except subprocess.CalledProcessError:
            return False

    def fill(self):
        password = DATABASE_PASSWORD.replace("'", "''")
        self.sql(f"CREATE ROLE alerts LOGIN PASSWORD '{password}'", "postgres")
        self.sql("CREATE DATABASE alerts_db OWNER alerts", "postgres")

    end = Server.stop


class Cache(Server):
    def prepare(self):
        try:
            self.server = find("redis-server")
        except FileNotFoundError:
            self.server = find("valkey-server")
        rights, version = CACHE_RIGHTS, re.search(r"v=(\d+)\.(\d+)", self.run(self.server, "--version"))
        if tuple(map(int, version.groups())) < (7, 2):  # Redis lacks this command; clients ignore the error
            rights = rights.replace("+client|setinfo ", "")
        (self.folder / "users").write_text(rights)

    def command(self):
        return [self.server, "--port", str(self.port), "--bind", "127.0.0.1", "--protected-mode", "no", "--save", "", "--aclfile", "users"]

    end = Server.stop


class Servers:
    """All three servers, started. `end` stops them and deletes their data."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="auditflow-e2e-")
        os.chmod(self.folder, 0o755)
        self.all = []
        try:
            for kind in (Broker, Database, Cache):
                server = kind(self.folder)
                self.all.append(server)
                server.start()
        except BaseException:
            self.end()
            raise
        self.broker, self.database, self.cache = self.all
        self.database.fill()

    def start(self):
        """Restarts the servers that a test has stopped."""
        for server in self.all:
            server.start()

    def end(self):
        for server in self.all:
            server.end()
        shutil.rmtree(self.folder)
