"""What must be closed: closed, open, and what shows nothing."""

import contextlib
import importlib.util
import io
import socket
import sys
import time
import unittest.mock

from scripts import Scripts  # which also finds the module below
from local_servers import free_port


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
