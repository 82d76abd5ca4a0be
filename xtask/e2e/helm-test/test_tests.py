"""The scripts that the chart gives its pods, `tests.py` with its parts and the logins that it has of `connections.py`, run as the pods run them.

The servers are those of the stand-ins' tests, so it is run as they are (README). Nothing here needs more than loopback.
"""

import contextlib
import importlib.util
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pika
import redis

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "stand-ins")]
from contract import running  # noqa: E402
from local_servers import DATABASE_PASSWORD, DATABASE_PASSWORD_FOR_LIBPQ, eventually, free_port  # noqa: E402

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


class Access(Servers):
    def test_publish(self):
        self.filled(b"one", b"two")
        self.assertEqual(self.broker_says("publish=H,P,U,W,Q", "publisher"), (0, f"publish to {QUEUE} at 127.0.0.1:PORT as publisher: ok"))
        self.assertEqual(
            self.broker_says("publish=H,P,U,W,Q,X", "through-exchange"),
            (0, f"publish to {QUEUE} through {EXCHANGE} at 127.0.0.1:PORT as through-exchange: ok"),
        )
        self.assertEqual((self.content(), self.content(OTHER)), ([b"one", b"two"], []))

    def test_publish_refused(self):
        self.filled()
        for check, user, name in (("publish=H,P,U,W,Q", "consumer", "amq.default"), ("publish=H,P,U,W,Q,X", "publisher", EXCHANGE)):
            code, said = self.broker_says(check, user)
            self.assertEqual(code, 1)
            self.assertRegex(said, rf": FAILED, the server refuses it: 403 ACCESS_REFUSED - .*exchange '{name}'")
        code, said = self.broker_says("publish=H,P,U,W,Q", "stranger")  # may write, and may not declare
        self.assertEqual(code, 1)
        self.assertRegex(said, rf": FAILED, the server refuses it: 403 ACCESS_REFUSED - .*queue '{QUEUE}'")
        self.assertEqual(self.content(), [])

    def test_publish_to_what_is_no_direct_exchange(self):
        self.filled()
        code, said = self.broker_says("publish=H,P,U,W,Q,A", "through-exchange")
        self.assertEqual(code, 1)
        self.assertIn(f"allowed, but the broker put the empty message into a queue: {CATCHES_ALL} has", said)
        self.assertEqual((self.content(), self.content(OTHER)), ([], [b""]))

    def test_publish_to_a_broker_that_takes_no_messages(self):
        self.filled(b"one")
        self.servers.broker.control("set_vm_memory_high_watermark", "0")
        try:
            code, said = self.broker_says("publish=H,P,U,W,Q", "publisher")
        finally:
            self.servers.broker.control("set_vm_memory_high_watermark", "0.4")
        self.assertEqual(code, 1)
        self.assertIn("FAILED, logged in, and then no answer within 4 s: the server is overloaded, or a broker reads nothing more", said)
        self.assertEqual(self.content(), [b"one"])

    def test_consume(self):
        bodies = [b"%d" % number + b"." * size for number, size in enumerate((0, 10, 300_000, 5))]
        for first in range(len(bodies)):  # the large one too is the one that comes
            self.filled(*bodies[first:])
            self.assertEqual(self.broker_says("consume=H,P,U,W,Q", "consumer"), (0, f"consume {QUEUE} at 127.0.0.1:PORT as consumer: ok"))
            self.assertEqual(self.content(), bodies[first:])
        self.assertEqual(self.broker_says("consume=H,P,U,W,Q", "consumer")[0], 0)  # of an empty queue

    def test_consume_beside_a_consumer(self):
        """What comes while both consume goes to the program, not by turns: shown by holding back the end of the test's own turn."""
        self.filled()
        consuming, go_on = threading.Event(), threading.Event()

        def held(data):
            if b"\x00\x3c\x00\x1e" in data:  # basic.cancel
                consuming.set()
                go_on.wait(20)
            return data

        got = []
        with self.channel() as channel:
            channel.basic_consume(QUEUE, lambda channel, method, _, body: got.append((body, method.redelivered)), auto_ack=True)
            login = self.login(self.servers.broker, "consumer") | {"P": self.between(self.servers.broker.port, held)}
            process = self.start("tests.py", "access", "consume=H,P,U,W,Q", **login)
            self.assertTrue(consuming.wait(20))
            bodies = [b"%d" % number for number in range(6)]
            with self.channel() as other:
                for body in bodies:
                    other.basic_publish("", QUEUE, body)
            eventually("everything", 3, lambda: channel.connection.process_data_events(0.1) or len(got) == len(bodies))
            go_on.set()
            self.assertEqual(self.ended(process)[0], 0)
        self.assertEqual(got, [(body, False) for body in bodies])

    def between(self, port, held):
        """The port of a go-between, which passes on what `held` returns of what its client sends."""
        opened = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(opened.close)

        def pass_on(source, target, change):
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    target.sendall(change(data))
                target.shutdown(socket.SHUT_WR)

        def accept():
            client, server = opened.accept()[0], socket.create_connection(("127.0.0.1", port))
            with client, server:
                back = threading.Thread(target=pass_on, args=(server, client, lambda data: data))
                back.start()
                pass_on(client, server, held)
                back.join()

        threading.Thread(target=accept, daemon=True).start()
        return opened.getsockname()[1]

    def test_consume_refused(self):
        self.filled(b"one")
        code, said = self.broker_says("consume=H,P,U,W,Q", "publisher")
        self.assertEqual(code, 1)
        self.assertRegex(said, rf": FAILED, the server refuses it: 403 ACCESS_REFUSED - .*queue '{QUEUE}'")
        self.assertEqual(self.content(), [b"one"])

    def test_wrong_password(self):
        for check in ("publish=H,P,U,W,Q", "consume=H,P,U,W,Q"):
            code, said = self.broker_says(check, "consumer", password=PASSWORDS["wrong"])
            self.assertEqual(code, 1)
            self.assertIn("as consumer: FAILED, the server refuses it: 403 ACCESS_REFUSED - Login was refused", said)

    def test_database(self):
        self.assertEqual(
            self.database_says("alerts", DATABASE_PASSWORD_FOR_LIBPQ),
            (0, "write to and read from alerts_db at 127.0.0.1:PORT as alerts: ok"),
        )
        code, said = self.database_says("creates-nothing", f"'{PASSWORDS['creates-nothing']}'")
        self.assertEqual(code, 1)
        self.assertIn("as creates-nothing: FAILED, the server refuses it: 42501 permission denied for schema public", said)
        code, said = self.database_says("alerts", f"'{PASSWORDS['wrong']}'")
        self.assertEqual(code, 1)
        self.assertIn('FAILED, the server refuses it: 28P01 password authentication failed for user "alerts"', said)
        self.assertEqual(self.servers.database.sql("SELECT relname FROM pg_class WHERE relname LIKE 'helm%'"), [])

    def test_cache(self):
        code, said = self.run_script("tests.py", "access", "ping=H,P", H="127.0.0.1", P=self.servers.cache.port)
        self.assertEqual((code, said), (0, f"ping the cache at 127.0.0.1:{self.servers.cache.port}: ok\n"))
        for user in ("cache", "deaf"):  # who may not even ping is logged in all the same
            self.assertEqual(self.cache_says(user), (0, f"log in to the cache at 127.0.0.1:PORT as {user}: ok"))
        self.assertEqual(self.cache_says("cache", kind="ping"), (0, "ping the cache at 127.0.0.1:PORT as cache: ok"))
        code, said = self.cache_says("deaf", kind="ping")
        self.assertEqual(code, 1)
        self.assertIn("ping the cache at 127.0.0.1:PORT as deaf: FAILED, the server refuses it: NOPERM", said)
        code, said = self.cache_says("cache", PASSWORDS["wrong"])
        self.assertEqual(code, 1)
        self.assertIn("as cache: FAILED, the server refuses it: WRONGPASS", said)

    def test_every_check_is_tried(self):
        names = self.login(self.servers.broker, "consumer")
        code, said = self.run_script(
            "tests.py",
            "access",
            "publish=H,P,U,W,Q",
            "dance=H,P",
            "consume=H,P,U,W,NOT",
            "consume=H,P,U,GONE,Q",
            "consume=H,P,U,W,Q",
            **names,
        )
        lines = sorted(said.replace(str(self.servers.broker.port), "PORT").splitlines())
        self.assertEqual(code, 1)
        self.assertEqual(
            lines[:4],
            [
                f"consume {QUEUE} at 127.0.0.1:PORT as consumer: ok",
                "consume=H,P,U,GONE,Q: FAILED, the variable 'GONE' is not set: it comes from the values, or from the Secret that the pod takes "
                "it from",
                "consume=H,P,U,W,NOT: FAILED, one of the variables NOT is not set: they come from the values",
                "dance=H,P: FAILED, this is no check: `tests.py` without arguments says which there are",
            ],
        )
        self.assertIn(f"publish to {QUEUE} at 127.0.0.1:PORT as consumer: FAILED, the server refuses it: 403", lines[4])


class AccessWithoutServers(Scripts):
    def test_http(self):
        environment = {"H": "127.0.0.1", "P": self.serve()}
        for check, code in (("", 0), ("=/204", 0), ("=/404", 1), ("=/302", 1), ("=/500", 1)):
            self.assertEqual(self.run_script("tests.py", "access", f"http=H,P{check}", **environment)[0], code, check)
        said = self.run_script("tests.py", "access", "http=H,P=/503", **environment)[1]
        self.assertEqual(said, f"GET http://127.0.0.1:{environment['P']}/503: FAILED, answered 503, not 2xx: status 503\n")

    def test_what_cannot_be_connected_is_tried_for_a_while(self):
        environment = {"H": "127.0.0.1", "P": free_port(), "N": "no-such-name.invalid", "U": "u", "W": PASSWORDS["wrong"], "Q": "q"}
        checks = "publish=H,P,U,W,Q", "database=H,P,U,W,Q", "cache=H,P", "http=H,P", "http=N,P"
        late = free_port()
        began = time.monotonic()
        process = self.start("tests.py", "access", *checks, **environment)
        waiting = self.start("tests.py", "access", "http=H,P=/200", H="127.0.0.1", P=late)
        time.sleep(3)
        server = ThreadingHTTPServer(("127.0.0.1", late), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.assertEqual(self.ended(waiting), (0, f"GET http://127.0.0.1:{late}/200: ok\n"))
        server.shutdown()
        server.server_close()
        code, said = self.ended(process)
        self.assertEqual((code, len(said.splitlines())), (1, 5))
        self.assertTrue(18 < time.monotonic() - began < 30)
        self.assertEqual(
            said.count(
                "FAILED, cannot connect: Connection refused: either nobody listens there (is its pod ready?), or a NetworkPolicy of this end "
                "or the other forbids it"
            ),
            4,
            said,
        )
        self.assertIn("FAILED, cannot connect: the name no-such-name.invalid does not resolve", said)

    def test_servers_of_another_kind(self):
        environment = {"H": "127.0.0.1", "P": self.listen(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "U": "u", "W": PASSWORDS["wrong"], "Q": "q"}
        for check in ("publish=H,P,U,W,Q", "database=H,P,U,W,Q", "cache=H,P,U,W"):
            process = self.start("tests.py", "access", check, TEST_SECONDS=8, **environment)
            code, said = self.ended(process)
            self.assertEqual(code, 1)
            self.assertIn("FAILED", said)

    def test_a_server_that_repeats_the_password(self):
        answer = f"-ERR unknown command `AUTH`, with args beginning with: `u` `{PASSWORDS['wrong']}`\r\n".encode()
        environment = {"H": "127.0.0.1", "P": self.listen(answer), "U": "u", "W": PASSWORDS["wrong"]}
        code, said = self.run_script("tests.py", "access", "cache=H,P,U,W", **environment)
        self.assertEqual(code, 1)
        self.assertIn("ERR unknown command `AUTH`, with args beginning with: `u` `***`", said)

    def test_the_time_for_all_of_it(self):
        environment = {"H": "127.0.0.1", "P": self.listen(), "O": self.serve()}
        began = time.monotonic()
        code, said = self.run_script("tests.py", "access", "cache=H,P", "http=H,O", TEST_SECONDS=2, **environment)
        self.assertLess(time.monotonic() - began, 6)
        self.assertEqual((code, len(said.splitlines())), (1, 2))
        self.assertIn(f"FAILED: not finished within 2 s (TEST_SECONDS): log in to the cache at 127.0.0.1:{environment['P']}\n", said)


class Isolation(Scripts):
    def isolation(self, targets, *arguments, **environment):
        lines = "".join(f"{name} {address} {why}\n\n" for name, address, why in targets)
        return self.start("tests.py", "isolation", "tester", self.write(lines), *arguments, **environment)

    def full(self):
        """A port that answers nobody, as one behind a policy that drops."""
        opened = socket.create_server(("127.0.0.1", 0), backlog=0)
        clients = [socket.socket() for _ in range(4)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(opened.getsockname())
        for one in (opened, *clients):
            self.addCleanup(one.close)
        return opened.getsockname()[1]

    def test_everything_is_closed(self):
        refused, silent, mine, lax = free_port(), self.full(), self.listen(), self.listen()
        targets = [("b", f"127.0.0.1:{silent}", "declared"), ("a", f"localhost:{refused}", "declared")]
        targets += [("mine", f"127.0.0.1:{mine}", "declared"), ("lax", f"127.0.0.1:{lax}", "exposure")]
        process = self.isolation(targets, "--let-out", f"127.0.0.1:{mine}")
        code, said = self.ended(process)
        self.assertEqual(code, 0, said)
        self.assertEqual(
            said.splitlines(),
            [
                f"closed: tester → a:{refused} (refused, Connection refused)",
                f"closed: tester → b:{silent} (no answer)",
                f"not tried: tester → lax:{lax} (opened by exposure)",
                "ok: tester reaches no port but the declared ones: 2 closed (1 without an answer; 1 refused, as is a port on which nobody "
                "listens), 1 not tried",
            ],
        )

    def test_its_own_pods_are_not_tried_where_a_value_opens_them(self):
        opened, refused = self.listen(), free_port()
        targets = [("tester", f"127.0.0.1:{opened}", "metrics"), ("tester", f"127.0.0.1:{refused}", "declared")]
        code, said = self.ended(self.isolation(targets))
        self.assertEqual(code, 0, said)
        self.assertIn(f"not tried: tester → tester:{opened} (opened by metrics)\n", said)
        self.assertIn(f"closed: tester → tester:{refused} ", said)

    def test_what_is_open(self):
        one, lax, api, closed = self.listen(), self.listen(), self.listen(), free_port()
        some = [("one", f"127.0.0.1:{one}", "declared"), ("lax", f"127.0.0.1:{lax}", "metrics"), ("two", f"127.0.0.1:{closed}", "declared")]
        server = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": api}
        began = time.monotonic()
        processes = [
            self.isolation(some),
            self.isolation(some, "--let-out", "--api-server", **server),
            self.isolation(some[:2]),
            self.isolation(
                [("one", f"127.0.0.1:{one}", "declared"), ("three", "no-such-name.invalid:80", "declared"), some[2]], "--api-server"
            ),
        ]
        (code, said), (code_out, said_out), (code_all, said_all), (code_name, said_name) = map(self.ended, processes)
        self.assertTrue(9 < time.monotonic() - began < 25)
        self.assertEqual([code, code_out, code_all, code_name], [1] * 4)
        self.assertIn(f"open: tester → one:{one} (accepts connections)\n", said)
        self.assertIn(f"OPEN  tester → one:{one}: nothing declares this path. Look at the NetworkPolicies <release>-tester and", said)
        self.assertIn(f"OPEN  tester → lax:{lax}: ", said)
        self.assertIn("Or, should nobody listen on those that refused, this cluster does not enforce NetworkPolicies", said)
        self.assertIn(f"not tried: tester → lax:{lax} (opened by metrics)\n", said_out)
        self.assertIn(f"OPEN  tester → the Kubernetes API server:{api}: ", said_out)
        self.assertIn("FAILED: this cluster does not enforce NetworkPolicies: all that was tried is open (2). It needs", said_all)
        self.assertNotIn("OPEN", said_all)
        self.assertIn("cannot be tried: tester → three:80 (no-such-name.invalid:80 stands for no address", said_name)
        self.assertIn("$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT stands for no address", said_name)
        self.assertIn("FAILED: 2 cannot be tried", said_name)

    def test_what_closes_in_time(self):
        opened = socket.create_server(("127.0.0.1", 0))
        process = self.isolation([("late", f"127.0.0.1:{opened.getsockname()[1]}", "declared")])
        time.sleep(3)
        opened.close()
        self.assertEqual(self.ended(process)[0], 0)

    def test_nothing_to_try(self):
        targets = [("one", "127.0.0.1:1", "declared"), ("two", "127.0.0.1:2", "extraIngress")]
        for some, arguments in ((targets[1:], ("--let-out",)), (targets[:1], ("127.0.0.1:1",))):
            code, said = self.ended(self.isolation(some, *arguments))
            self.assertEqual(code, 0)
            self.assertIn("ok: nothing to prove: every port is declared for tester, or opened by values", said)
        code, said = self.ended(self.isolation([]))
        self.assertEqual(code, 1)
        self.assertIn("names no port, so that nothing is proven", said)

    def test_what_opens_late(self):
        """As where the policy that lets a pod out comes after it: what is closed at first shows nothing yet."""
        port = free_port()
        process = self.isolation([("late", f"127.0.0.1:{port}", "declared")])
        time.sleep(2)
        opened = socket.create_server(("127.0.0.1", port))
        self.addCleanup(opened.close)
        code, said = self.ended(process)
        self.assertEqual(code, 1)
        self.assertIn(f"open: tester → late:{port}", said)

    def test_a_file_that_is_not_there_or_wrong(self):
        for path, words in (
            (self.write("one 127.0.0.1 declared\n"), "is not NAME HOST:PORT WHY: one 127.0.0.1 declared"),
            ("/no", "'/no'"),
        ):
            code, said = self.run_script("tests.py", "isolation", "tester", path)
            self.assertEqual(code, 1)
            self.assertRegex(said, f"^FAILED: .*{words}")

    def test_what_to_look_at(self):
        """The names of a release, which do not resolve here."""
        sys.path.insert(0, str(self.folder))
        self.addCleanup(sys.path.remove, str(self.folder))
        spec = importlib.util.spec_from_file_location("isolation", self.folder / "isolation.py")
        module = importlib.util.module_from_spec(spec)
        kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        spec.loader.exec_module(module)
        sys.dont_write_bytecode = kept
        module.CLOSE_SECONDS = 0
        file = self.write("rabbitmq r1-rabbitmq.ns:5672 declared\nnotification-service r1-notification-service:8000 declared\n")

        def connect(address, **_):
            if address[0] == "r1-rabbitmq.ns":
                raise ConnectionRefusedError(111, "Connection refused")
            return socket.socket()

        policies = {
            ("dashboard",): "r1-dashboard and r1-notification-service, and",
            ("dashboard", "--let-out"): "r1-notification-service, and",
            ("nobody",): "r1-default and r1-notification-service, and",
        }
        for (who, *options), words in policies.items():
            with unittest.mock.patch.object(module.socket, "create_connection", connect), contextlib.redirect_stdout(io.StringIO()) as said:
                self.assertFalse(module.isolation(who, file, *options))
            line = f"OPEN  {who} → notification-service:8000: nothing declares this path. Look at the NetworkPolicies {words}"
            self.assertIn(line, said.getvalue())


class Journey(Servers):
    def setUp(self):
        self.servers.database.sql("DROP TABLE IF EXISTS journey; CREATE TABLE journey (actor text); ALTER TABLE journey OWNER TO alerts")
        self.bodies, self.kinds = [], []

    def posted(self, kind, body):
        self.kinds.append(kind)
        self.bodies.append(body)
        self.servers.database.sql(f"INSERT INTO journey VALUES ('{json.loads(body)['actor']}'), ('somebody')")
        return "{}"

    def rows(self):
        return sorted(self.servers.database.sql("SELECT actor FROM journey"))

    def journey(self, send="/send", posted=None, asked=None, forget=True, within=2, password=DATABASE_PASSWORD_FOR_LIBPQ, **plan):
        port = self.serve(posted=posted or self.posted, asked=asked or (lambda: "<p>" + "</p><p>".join(self.bodies)))
        where = {"host": "127.0.0.1", "port": port}
        plan = {
            "doc": "from here to there",
            "send": where | {"path": send, "body": '{"actor": "{marker}"}'},
            "see": where | {"path": "/page?of={marker}"},
            "through": ["here", "there"],
            "within_seconds": within,
        } | plan
        if forget:
            plan["forget"] = {"server": "database+libpq=H,P,U,W,D", "statement": "DELETE FROM journey WHERE actor = '{marker}'"}
        environment = self.login(self.servers.database, "alerts", password) | {"D": "alerts_db"}
        return self.start("tests.py", "journey", self.write(json.dumps(plan)), **environment)

    def test_seen_and_forgotten(self):
        code, said = self.ended(self.journey())
        self.assertEqual((code, self.kinds), (0, ["application/json"]), said)
        self.assertRegex(json.loads(self.bodies[0])["actor"], "^helm-test-[0-9a-f]{12}$")
        self.assertRegex(
            said, r"from here to there: helm-test-\w+\nPOST http://127\.\S+: answered 200\nGET http://\S+: shows it after .* s\n"
        )
        self.assertIn("removed from the database: 1 row\n", said)
        self.assertEqual(self.rows(), ["somebody"])
        self.assertEqual(self.ended(self.journey(forget=False))[0], 0)

    def test_seen_later(self):
        began = time.monotonic()
        code, said = self.ended(self.journey(asked=lambda: self.bodies[0] if time.monotonic() > began + 3 else "", within=20))
        self.assertEqual((code, self.rows()), (0, ["somebody"]), said)

    def test_not_seen(self):
        code, said = self.ended(self.journey(asked=lambda: "nothing"))
        self.assertEqual(code, 1)
        self.assertRegex(
            said, "FAILED: GET .* does not show it within [23] s; its last answer: 200 with 7 characters. Look next at the logs of here, there, "
        )
        self.assertIn("removed from the database: 1 row, so that it was stored and not shown", said)
        self.assertEqual(self.rows(), ["somebody"])

    def test_stored_too_late(self):
        def later(kind, body):
            threading.Timer(5, self.posted, (kind, body)).start()
            return ""

        code, said = self.ended(self.journey(posted=later))
        self.assertEqual(code, 1)
        self.assertIn("removed from the database: 1 row", said)
        self.assertEqual(self.rows(), ["somebody"])

    def test_seen_and_not_in_the_database(self):
        def elsewhere(_, body):
            self.bodies.append(body)
            return ""

        code, said = self.ended(self.journey(posted=elsewhere))
        self.assertEqual(code, 1)
        self.assertIn("FAILED: it was shown, and no row of it was removed", said)

    def test_what_cannot_be_forgotten(self):
        code, said = self.ended(self.journey(password=f"'{PASSWORDS['wrong']}'"))
        self.assertEqual(code, 1)
        self.assertRegex(
            said, "FAILED: cannot remove .*: the server refuses it: 28P01 .* By hand: DELETE FROM journey WHERE actor = 'helm-test-"
        )

    def test_refused(self):
        began = time.monotonic()
        code, said = self.ended(self.journey(send="/503"))
        self.assertEqual(code, 1)
        self.assertRegex(said, "FAILED: POST .*: answered 503: status 503\nremoved from the database: 0 rows\n$")
        self.assertLess(time.monotonic() - began, 5)

    def test_ended_on_the_way(self):
        process = self.journey(asked=lambda: "nothing", within=60)
        eventually("sent", 10, self.rows)
        process.send_signal(signal.SIGTERM)
        code, said = self.ended(process, 10)
        self.assertEqual((code, self.rows()), (143, ["somebody"]), said)


class Connections(Servers):
    """The command that pods start and are probed with: what the tests share with it must leave it as it is."""

    def environment(self):
        login = self.login(self.servers.broker, "consumer")
        database = {"DP": self.servers.database.port, "DU": "alerts", "DW": DATABASE_PASSWORD_FOR_LIBPQ, "DD": "alerts_db"}
        return login | database | {"CP": self.servers.cache.port, "CU": "cache", "CW": PASSWORDS["cache"]}

    def test_wait(self):
        code, said = self.run_script(
            "connections.py",
            "wait",
            "amqp=H,P,U,W",
            "postgresql+libpq=H,DP,DU,DW,DD",
            "redis=H,CP",
            "redis=H,CP,CU,CW",
            **self.environment(),
        )
        self.assertEqual((code, said.count(": login works\n"), len(said.splitlines())), (0, 4, 4), said)

    def test_waits_for_a_login_and_not_for_a_port(self):
        wrong = {"W": PASSWORDS["wrong"], "DW": f"'{PASSWORDS['wrong']}'", "CW": PASSWORDS["wrong"]}
        for server, words in {
            "amqp=H,P,U,W": "amqp://consumer@127.0.0.1:PORT/: waiting, 403 ACCESS_REFUSED",
            "postgresql+libpq=H,DP,DU,DW,DD": "postgresql://alerts@127.0.0.1:PORT/alerts_db: waiting, 28P01 password",
            "redis=H,CP,CU,CW": "redis://cache@127.0.0.1:PORT/: waiting, WRONGPASS",
        }.items():
            environment = self.environment() | wrong
            process = self.start("connections.py", "wait", server, **environment)
            line = process.stdout.readline().decode()
            port = str(environment[server.partition("=")[2].split(",")[1]])
            self.assertIn(words, line.replace(port, "PORT"))
            process.terminate()
            self.assertEqual(self.ended(process)[0], -signal.SIGTERM)

    def test_probes(self):
        def probe(verb):
            return self.run_script("connections.py", verb, "amqp=H,P,U,W", **self.environment())

        server = f"amqp://consumer@127.0.0.1:{self.servers.broker.port}/"
        self.assertEqual(probe("connected"), (1, f"no connection to {server}\n"))
        self.assertEqual(probe("alive"), (1, f"no connection to {server}, which accepts connections\n"))
        with self.channel():
            self.assertEqual([probe("connected"), probe("alive")], [(0, ""), (0, "")])


if __name__ == "__main__":
    unittest.main()
