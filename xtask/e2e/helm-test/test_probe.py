"""The probes of a program that never reconnects."""

import contextlib
import socket

from containers import Containers  # which also makes the module below importable
from local_servers import free_port


class Probe(Containers):
    def probe(self, check, *words, **environment):
        return self.run_script("probe.py", check, *words, H="127.0.0.1", OTHER="127.0.0.2", **environment)

    def test_no_connection(self):
        listening, away = self.listen(), free_port()
        lost = f"no connection to 127.0.0.1:{listening}"
        self.assertEqual(self.probe("connected", "H", "P", P=listening), (1, f"{lost}\n"))
        self.assertEqual(self.probe("alive", "H", "P", P=listening), (1, f"{lost}, which accepts connections\n"))
        # While the server is away, a restart does not help.
        self.assertEqual(self.probe("connected", "H", "P", P=away), (1, f"no connection to 127.0.0.1:{away}\n"))
        self.assertEqual(self.probe("alive", "H", "P", P=away), (0, ""))
        # Its own connection was not taken for the program's.
        self.assertEqual(self.probe("alive", "H", "P", P=listening)[0], 1)

    def test_connected_to_one_of_two_servers(self):
        first, second = self.listen(), self.listen()
        with socket.create_connection(("127.0.0.1", first)):
            self.assertEqual(self.probe("connected", "H", "P", P=first), (0, ""))
            self.assertEqual(self.probe("alive", "H", "P", P=first), (0, ""))
            for check, words in (("connected", ""), ("alive", ", which accepts connections")):
                result = self.probe(check, "H", "P", "H", "Q", P=first, Q=second)
                self.assertEqual(result, (1, f"no connection to 127.0.0.1:{second}{words}\n"))
            with socket.create_connection(("127.0.0.1", second)):
                self.assertEqual(self.probe("alive", "H", "P", "H", "Q", P=first, Q=second), (0, ""))
        self.assertEqual(self.probe("connected", "H", "P", P=first)[0], 1)  # it is closed now

    def test_two_servers_on_one_port(self):
        port = self.listen()
        second = socket.create_server(("127.0.0.2", port))
        self.addCleanup(second.close)
        with socket.create_connection(("127.0.0.2", port)):
            self.assertEqual(self.probe("connected", "OTHER", "P", "others", "H", "P", P=port), (0, ""))
            lost = (1, f"no connection to 127.0.0.1:{port}\n")
            self.assertEqual(self.probe("connected", "H", "P", "others", "OTHER", "P", P=port), lost)
            self.assertEqual(self.probe("connected", "H", "P", "OTHER", "P", P=port), lost)
            # Without the other server's address, only the port counts: behind a Service, the table may show either address.
            self.assertEqual(self.probe("connected", "H", "P", P=port), (0, ""))
            with socket.create_connection(("127.0.0.1", port)):
                self.assertEqual(self.probe("connected", "H", "P", "OTHER", "P", P=port), (0, ""))

    def test_a_socket_of_ipv6(self):
        """As programs in Java and Go have it: an address of IPv4 in the table of IPv6."""
        port = self.listen()
        with socket.socket(socket.AF_INET6) as client:
            client.connect(("::ffff:127.0.0.1", port))
            self.assertEqual(self.probe("connected", "H", "P", "others", "OTHER", "P", P=port), (0, ""))
            self.assertEqual(self.probe("connected", "OTHER", "P", "others", "H", "P", P=port)[0], 1)
        with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6) as opened:
            with socket.create_connection(opened.getsockname()[:2]):
                self.assertEqual(self.probe("connected", "SIX", "P", SIX="::1", P=opened.getsockname()[1]), (0, ""))

    def test_unknown_check(self):
        process = self.start("probe.py", "dance")
        _, errors = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"probe.py alive SERVER...", errors)
