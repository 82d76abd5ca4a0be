"""What a service declares that it does: allowed, refused, and what is no such server."""

import contextlib
import socket
import threading
import time
from http.server import ThreadingHTTPServer

from scripts import CATCHES_ALL, EXCHANGE, OTHER, PASSWORDS, QUEUE, Page, Scripts, Servers  # which also finds the module below
from local_servers import DATABASE_PASSWORD_FOR_LIBPQ, eventually, free_port


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
