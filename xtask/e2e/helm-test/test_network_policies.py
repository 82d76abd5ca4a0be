"""Ports that must be closed."""

import contextlib
import importlib.util
import io
import socket
import sys
import time
import unittest.mock

from containers import Containers  # which also makes the module below importable
from local_servers import free_port


class NetworkPolicies(Containers):
    def policies(self, ports, *arguments, **environment):
        lines = "".join(f"{component} {address} {opened_by}\n\n" for component, address, opened_by in ports)
        return self.start("network_policies.py", "tester", "r1-tester", self.write(lines), *arguments, **environment)

    def silent(self):
        """A port that does not answer, as behind a policy that drops packets."""
        opened = socket.create_server(("127.0.0.1", 0), backlog=0)
        clients = [socket.socket() for _ in range(4)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(opened.getsockname())
        for each in (opened, *clients):
            self.addCleanup(each.close)
        return opened.getsockname()[1]

    def test_all_closed(self):
        refused, silent, allowed, lax = free_port(), self.silent(), self.listen(), self.listen()
        ports = [("b", f"127.0.0.1:{silent}", "declared"), ("a", f"localhost:{refused}", "declared")]
        ports += [("allowed", f"127.0.0.1:{allowed}", "declared"), ("lax", f"127.0.0.1:{lax}", "exposure.via")]
        code, output = self.ended(self.policies(ports, "--egress-open", f"127.0.0.1:{allowed}"))
        self.assertEqual(code, 0, output)
        self.assertEqual(
            output.splitlines(),
            [
                f"closed: tester → a:{refused} (refused, Connection refused)",
                f"closed: tester → b:{silent} (no answer)",
                f"not tried: tester → lax:{lax} (opened by exposure.via)",
                "ok: tester reaches only declared ports: 2 closed (1 without an answer; 1 refused, by a policy or because nothing listens), "
                "1 not tried",
            ],
        )

    def test_its_own_pods_are_not_tried_if_a_value_opens_them(self):
        opened, refused = self.listen(), free_port()
        ports = [("tester", f"127.0.0.1:{opened}", "global.metrics"), ("tester", f"127.0.0.1:{refused}", "declared")]
        code, output = self.ended(self.policies(ports))
        self.assertEqual(code, 0, output)
        self.assertIn(f"not tried: tester → tester:{opened} (opened by global.metrics)\n", output)
        self.assertIn(f"closed: tester → tester:{refused} ", output)

    def test_open_ports(self):
        one, lax, api, closed = self.listen(), self.listen(), self.listen(), free_port()
        some = [
            ("one", f"127.0.0.1:{one}", "declared"),
            ("lax", f"127.0.0.1:{lax}", "global.metrics"),
            ("two", f"127.0.0.1:{closed}", "declared"),
        ]
        server = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": api}
        began = time.monotonic()
        processes = [
            self.policies(some),
            self.policies(some, "--egress-open", "--api-server", **server),
            self.policies(some[:2]),
            self.policies(
                [("one", f"127.0.0.1:{one}", "declared"), ("three", "no-such-name.invalid:80", "declared"), some[2]], "--api-server"
            ),
        ]
        (code, output), (code_out, output_out), (code_all, output_all), (code_name, output_name) = map(self.ended, processes)
        self.assertTrue(9 < time.monotonic() - began < 25)
        self.assertEqual([code, code_out, code_all, code_name], [1] * 4)
        self.assertIn(f"open: tester → one:{one} (accepts connections)\n", output)
        self.assertIn(f"OPEN  tester → one:{one}: nothing declares this connection. Look at the NetworkPolicies r1-tester and", output)
        self.assertIn(f"OPEN  tester → lax:{lax}: ", output)
        self.assertIn("Or, if nothing listens on the ports that refused, this cluster does not enforce NetworkPolicies", output)
        self.assertIn(f"not tried: tester → lax:{lax} (opened by global.metrics)\n", output_out)
        self.assertIn(f"OPEN  tester → the Kubernetes API server:{api}: nothing declares this connection. Look at the NetworkPolicies r1-tester,", output_out)
        self.assertIn("FAILED: this cluster does not enforce NetworkPolicies: all ports that were tried are open (2). It needs", output_all)
        self.assertNotIn("OPEN", output_all)
        self.assertIn("cannot be tried: tester → three:80 (no-such-name.invalid:80 does not resolve", output_name)
        self.assertIn("$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT does not resolve", output_name)
        self.assertIn("FAILED: 2 cannot be tried", output_name)

    def test_a_port_that_closes_in_time(self):
        opened = socket.create_server(("127.0.0.1", 0))
        process = self.policies([("late", f"127.0.0.1:{opened.getsockname()[1]}", "declared")])
        time.sleep(3)
        opened.close()
        self.assertEqual(self.ended(process)[0], 0)

    def test_a_port_that_opens_late(self):
        """The policy that lets a Pod out may take effect late: a port that is closed at first shows nothing yet."""
        port = free_port()
        process = self.policies([("late", f"127.0.0.1:{port}", "declared")])
        time.sleep(2)
        opened = socket.create_server(("127.0.0.1", port))
        self.addCleanup(opened.close)
        code, output = self.ended(process)
        self.assertEqual(code, 1)
        self.assertIn(f"open: tester → late:{port}", output)

    def test_nothing_to_try(self):
        ports = [("one", "127.0.0.1:1", "declared"), ("two", "127.0.0.1:2", "network.extraIngress")]
        for some, arguments in ((ports[1:], ("--egress-open",)), (ports[:1], ("127.0.0.1:1",))):
            code, output = self.ended(self.policies(some, *arguments))
            self.assertEqual(code, 0)
            self.assertIn("ok: nothing to try: every port is declared for tester or opened by values", output)
        code, output = self.ended(self.policies([]))
        self.assertEqual(code, 1)
        self.assertIn("has no port, so nothing is tested", output)

    def test_a_file_that_is_missing_or_wrong(self):
        for path, words in ((self.write("one 127.0.0.1:1\n"), "not enough values"), ("/no", "'/no'")):
            code, output = self.run_script("network_policies.py", "tester", "r1-tester", path)
            self.assertEqual(code, 1)
            self.assertRegex(output, f"^FAILED: .*{words}")

    def test_which_policies_to_look_at(self):
        """With the names of a release, which do not resolve here."""
        sys.path.insert(0, str(self.folder))
        self.addCleanup(sys.path.remove, str(self.folder))
        spec = importlib.util.spec_from_file_location("network_policies", self.folder / "network_policies.py")
        module = importlib.util.module_from_spec(spec)
        kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        spec.loader.exec_module(module)
        sys.dont_write_bytecode = kept
        module.CLOSES_WITHIN_SECONDS = 0
        file = self.write("rabbitmq r1-rabbitmq.ns:5672 declared\nnotification-service r1-notification-service:8000 declared\n")

        def connect(address, **_):
            if address[0] == "r1-rabbitmq.ns":
                raise ConnectionRefusedError(111, "Connection refused")
            return socket.socket()

        for client, options, policies in (
            ("dashboard", (), "r1-dashboard and r1-notification-service, and"),
            ("dashboard", ("--egress-open",), "r1-notification-service, and"),
        ):
            with unittest.mock.patch.object(module.socket, "create_connection", connect), contextlib.redirect_stdout(io.StringIO()) as output:
                self.assertFalse(module.main([client, f"r1-{client}", file, *options]))
            line = f"OPEN  {client} → notification-service:8000: nothing declares this connection. Look at the NetworkPolicies {policies}"
            self.assertIn(line, output.getvalue())
