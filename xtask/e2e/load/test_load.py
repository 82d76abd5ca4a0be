"""Tests the load client against a real broker that restarts. Uses the servers of the stand-ins' tests."""

import json
import signal
import subprocess
import sys
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pika

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "stand-ins"))
from contract import running  # noqa: E402
from local_servers import eventually  # noqa: E402


class Alerts(BaseHTTPRequestHandler):
    """GET /alerts over `rows`, newest first."""

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        limit, offset = int(query["limit"][0]), int(query["offset"][0])
        data = json.dumps(self.server.rows[offset : offset + limit]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Load(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = running()

    def setUp(self):
        self.queue("delete")

    def queue(self, action, **arguments):
        credentials = pika.PlainCredentials("observer", "observer")
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.servers.broker.port, credentials=credentials))
        getattr(connection.channel(), f"queue_{action}")("audit_events", **arguments)
        connection.close()

    def load(self, **variables):
        return subprocess.Popen(
            [sys.executable, "-B", HERE / "main.py"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={"AMQP_HOST": "127.0.0.1", "AMQP_PORT": str(self.servers.broker.port), "AMQP_USER": "observer", "AMQP_PASSWORD": "observer"}
            | variables,
        )

    def ledger(self, process):
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        *entries, summary = map(json.loads, output.splitlines())
        return output, entries, summary["summary"]

    def queued(self):
        return int(
            dict(line.split() for line in self.servers.broker.control("list_queues", "name", "messages").splitlines())["audit_events"]
        )

    def check(self, ledger, rows):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Alerts)
        server.rows = rows
        Thread(target=server.serve_forever, daemon=True).start()
        done = subprocess.run(
            [sys.executable, "-B", HERE / "main.py", "check"],
            input=ledger,
            capture_output=True,
            text=True,
            env={"ALERTS_URL": f"http://127.0.0.1:{server.server_port}"},
        )
        server.shutdown()
        server.server_close()
        return done.returncode, json.loads(done.stdout or "null")

    def test_a_broker_restart_loses_no_confirmed_event(self):
        process = self.load(LOAD_RATE="50", LOAD_ALERT_EVERY="2")
        time.sleep(2)  # the queue does not exist yet: no event may count as confirmed
        self.queue("declare", durable=True)
        eventually("more than 20 events are queued", 20, lambda: self.queued() > 20)
        self.servers.broker.stop()
        self.servers.broker.start()
        before = self.queued()
        eventually("publishing continues after the restart", 40, lambda: self.queued() > before)
        process.send_signal(signal.SIGTERM)
        output, entries, summary = self.ledger(process)
        confirmed = [entry for entry in entries if entry["confirmed_at"]]
        self.assertGreater(entries[0]["tries"], 1)
        self.assertEqual(summary["reconnects"], 1)
        self.assertEqual((summary["published"], summary["confirmed"]), (len(entries), len(confirmed)))
        self.assertGreaterEqual(self.queued(), len(confirmed))  # one event may be queued twice
        self.assertLessEqual(self.queued(), len(confirmed) + 1)

        expected = [entry["correlation_id"] for entry in confirmed if entry["correlation_id"]]
        self.assertEqual(len(expected), summary["alerts_expected"])
        rows = [{"alert_id": str(number), "correlation_id": correlation} for number, correlation in enumerate(expected)]
        rows += [{"alert_id": f"other{number}", "correlation_id": "x"} for number in range(1200)]  # more than two pages
        status, verdict = self.check("noise\n2026-01-01T00:00:00Z stdout F " + output, rows)
        self.assertEqual((status, verdict["missing"], verdict["raised_twice"]), (0, [], 0))
        status, verdict = self.check(output, rows[1:] + [{"alert_id": "again", "correlation_id": expected[1]}])
        self.assertEqual((status, verdict["missing"], verdict["raised_twice"]), (1, expected[:1], 1))
        self.assertEqual(self.check("noise", rows)[0], 2)

    def test_a_number_of_events(self):
        self.queue("declare", durable=True)
        _, entries, summary = self.ledger(self.load(LOAD_COUNT="7", LOAD_RATE="1000"))
        self.assertEqual((len(entries), summary["confirmed"], summary["alerts_expected"]), (7, 7, 7))

    def test_it_exits_while_the_broker_is_down(self):
        process = self.load(AMQP_PORT="1")
        time.sleep(1.5)
        process.send_signal(signal.SIGTERM)
        _, entries, summary = self.ledger(process)
        self.assertEqual((entries, summary["published"], summary["confirmed"]), ([], 0, 0))

    def test_waiting_for_the_first_connection_is_no_failed_attempt(self):
        self.servers.broker.stop()
        process = self.load(LOAD_COUNT="3")
        time.sleep(1.5)
        self.servers.broker.start()
        self.queue("declare", durable=True)
        _, entries, _ = self.ledger(process)
        self.assertEqual(entries[-1]["tries"], 1)  # the first may come before the queue

    def test_it_exits_while_the_broker_is_away(self):
        self.queue("declare", durable=True)
        process = self.load()
        eventually("events are queued", 20, lambda: self.queued() > 3)
        self.servers.broker.stop()
        time.sleep(1.5)
        process.send_signal(signal.SIGTERM)
        _, entries, summary = self.ledger(process)
        self.servers.broker.start()
        self.assertIsNone(entries[-1]["confirmed_at"])
        self.assertEqual(summary["confirmed"], len(entries) - 1)


if __name__ == "__main__":
    unittest.main()
