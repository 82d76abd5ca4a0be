"""Tests the reach probe on loopback."""

import json
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

MAIN = Path(__file__).resolve().parent / "main.py"


class Reach(unittest.TestCase):
    def reach(self, *arguments, stdin=""):
        done = subprocess.run([sys.executable, "-B", MAIN, *arguments], input=stdin, capture_output=True, text=True, timeout=30)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def listening(self):
        process = subprocess.Popen([sys.executable, "-B", MAIN, "listen", "0", "0"], stdout=subprocess.PIPE, text=True)

        def end():
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(5), 0)
            process.stdout.close()

        self.addCleanup(end)
        return json.loads(process.stdout.readline())["listening"]

    def closed_port(self):
        with socket.create_server(("127.0.0.1", 0)) as opened:
            return opened.getsockname()[1]

    def test_results_in_the_order_of_the_targets(self):
        one, other = self.listening()
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
            port = full.getsockname()[1]
            waiting = [socket.socket() for _ in range(4)]
            for client in waiting:
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port))
            targets = [
                f"127.0.0.1:{one}",
                f"127.0.0.1:{self.closed_port()}",
                f"127.0.0.1:{port}",
                "no-such-name.invalid:80",
                f"[::1]:{other}",
            ]
            status, results = self.reach("--timeout", "0.5", "--tries", "2", "--pause", "0.1", *targets)
            for client in waiting:
                client.close()
        self.assertEqual([result["result"] for result in results][:4], ["open", "refused", "timeout", "unresolved"])
        self.assertEqual([result["target"] for result in results], targets)
        self.assertEqual([result["tries"] for result in results][:3], [1, 2, 2])
        self.assertEqual(status, 1)

    def test_wanted_results(self):
        one, other = self.listening()
        closed = self.closed_port()
        status, results = self.reach("--pause", "0.1", stdin=f"127.0.0.1:{one}=open\n127.0.0.1:{closed}=closed\n")
        self.assertEqual((status, [result["tries"] for result in results]), (0, [1, 1]))
        status, results = self.reach("--pause", "0.1", "--tries", "3", f"127.0.0.1:{other}=closed", f"127.0.0.1:{one}=open")
        self.assertEqual((status, [(result["as_wanted"], result["tries"]) for result in results]), (1, [(False, 3), (True, 1)]))

    def test_malformed_targets(self):
        for target in ("nothing", "host:", ":80", "host:80=maybe"):
            self.assertEqual(self.reach(target)[0], 2)


if __name__ == "__main__":
    unittest.main()
