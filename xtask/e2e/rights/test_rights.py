"""Tests the rights probe against real servers. Uses the servers and logins of the stand-ins' tests."""

import json
import os
import subprocess
import sys
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "stand-ins")]
import cache  # noqa: E402
import main  # noqa: E402
from contract import running  # noqa: E402
from local_servers import DATABASE_PASSWORD, DATABASE_PASSWORD_FOR_LIBPQ, free_port  # noqa: E402


class Reading(unittest.TestCase):
    def test_passwords_of_libpq(self):
        self.assertEqual(main.from_libpq(DATABASE_PASSWORD_FOR_LIBPQ), DATABASE_PASSWORD)
        self.assertEqual(main.from_libpq("''"), "")
        for text in ("", "'", "bare", "'open"):
            self.assertRaises(ValueError, main.from_libpq, text)

    def test_answers_of_a_cache(self):
        outcomes = {
            "+OK": "allowed",
            "*2": "allowed",
            "-ERR value is not an integer": "allowed",
            "-WRONGTYPE Operation": "allowed",
            "-NOPERM User default has no permissions": "refused",
            "-NOAUTH Authentication required.": "refused",
            "-WRONGPASS invalid": "refused",
            "-EXECABORT Transaction discarded because of: NOPERM User x": "refused",
            "-ERR DEBUG command not allowed. If the enable-debug-command option": "refused",
            "-ERR unknown command 'x'": "error",
            "-ERR wrong number of arguments for 'x' command": "error",
            "-LOADING": "error",
        }
        self.assertEqual({line: cache.classify(line)["outcome"] for line in outcomes}, outcomes)


class Management(BaseHTTPRequestHandler):
    """Answers with the status in the path: 200, 401 or 500."""

    def do_GET(self):
        self.send_response(int(self.path.strip("/")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Servers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = running()
        cls.servers.start()

    def outcomes(self, kind, port, user, password, *trials, libpq_value=False):
        target = {"kind": kind, "host": "H", "port": "P", "libpq_value": libpq_value, "trials": trials}
        environment = os.environ | {"H": "127.0.0.1", "P": str(port)}
        if user is not None:
            target |= {"user": "U", "password": "W"}
            environment |= {"U": user, "W": password}
        done = subprocess.run(
            [sys.executable, "-B", HERE / "main.py", "try"],
            input=json.dumps({"targets": [target]}),
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        results = json.loads(done.stdout)["targets"][0]
        return [outcome["outcome"] for outcome in results], results

    def broker(self, user, *trials):
        return self.outcomes("amqp", self.servers.broker.port, user, user, *({"as": None} | trial for trial in trials))

    def test_a_consumer_and_publisher_of_a_broker(self):
        trials = [
            ({"do": "connect"}, "allowed"),
            ({"do": "declare", "queue": "audit_events"}, "allowed"),
            ({"do": "declare", "queue": "audit_alerts"}, "allowed"),
            ({"do": "declare", "queue": "other"}, "refused"),
            ({"do": "look", "queue": "audit_events"}, "allowed"),
            ({"do": "publish", "exchange": "", "key": "audit_events"}, "allowed"),
            ({"do": "publish", "exchange": "", "key": "nowhere"}, "allowed"),
            ({"do": "publish", "exchange": "amq.topic", "key": "audit_events"}, "refused"),
            ({"do": "get", "queue": "audit_events"}, "allowed"),
            ({"do": "consume", "queue": "audit_events"}, "allowed"),
            ({"do": "get", "queue": "audit_alerts"}, "refused"),
            ({"do": "consume", "queue": "audit_alerts"}, "refused"),
            ({"do": "purge", "queue": "audit_alerts"}, "refused"),
            ({"do": "delete", "queue": "other"}, "refused"),
            ({"do": "bind", "queue": "audit_events", "exchange": "amq.topic"}, "refused"),
            ({"do": "declare-exchange", "exchange": "mine"}, "refused"),
            ({"do": "delete-exchange", "exchange": "amq.topic"}, "refused"),
        ]
        outcomes, results = self.broker("analysis", *(trial for trial, _ in trials))
        self.assertEqual(outcomes, [expected for _, expected in trials], results)

    def test_a_trial_returns_its_messages(self):
        self.broker("observer", {"do": "purge", "queue": "audit_events"}, {"do": "publish", "exchange": "", "key": "audit_events"})
        self.broker("observer", {"do": "get", "queue": "audit_events"}, {"do": "consume", "queue": "audit_events"})
        counted = dict(line.split() for line in self.servers.broker.control("list_queues", "name", "messages").splitlines())
        self.assertEqual(counted["audit_events"], "1")

    def test_an_administrator_is_never_refused(self):
        queue, exchange = {"queue": "rights"}, {"exchange": "rights"}
        outcomes, results = self.broker(
            "observer",
            {"do": "purge"} | queue,  # the queue does not exist: the broker granted the right
            *({"do": do} | queue for do in ("declare", "get", "consume", "purge")),
            {"do": "bind", "exchange": "amq.topic"} | queue,
            {"do": "delete"} | queue,
            {"do": "declare-exchange"} | exchange,
            {"do": "publish", "key": "x"} | exchange,
            {"do": "delete-exchange"} | exchange,
        )
        self.assertEqual(set(outcomes), {"allowed"}, results)

    def test_logins_of_a_broker(self):
        outcomes, results = self.broker(
            "analysis",
            {"do": "connect", "as": ["analysis", "wrong"]},
            {"do": "connect", "as": ["analysis", ""]},
            {"do": "connect", "as": ["guest", "guest"]},
            {"do": "connect", "as": "anonymous"},
            {"do": "declare", "queue": "other", "as": ["observer", "observer"]},
            {"do": "delete", "queue": "other", "as": ["observer", "observer"]},
        )
        self.assertEqual(outcomes, ["refused"] * 4 + ["allowed"] * 2, results)

    def test_errors_are_not_refusals(self):
        self.broker("observer", {"do": "delete", "queue": "audit_events"}, {"do": "declare", "queue": "audit_events"})
        outcomes, results = self.broker("observer", {"do": "dance"}, {"do": "http", "port": free_port(), "path": "/"})
        self.assertEqual(outcomes, ["error"] * 2, results)

    def test_a_management_interface(self):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Management)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        trials = [{"do": "http", "port": server.server_port, "path": path} for path in ("/200", "/401", "/500")]
        outcomes, results = self.broker("analysis", *trials)
        self.assertEqual(outcomes, ["allowed", "refused", "error"], results)

    def test_a_database(self):
        server = self.servers.database
        own = {"as": None, "database": "alerts_db"}
        trials = [
            (own | {"statements": []}, "allowed"),
            (own | {"statements": ["CREATE TABLE rights_t (n int)", "DROP TABLE rights_t"]}, "allowed"),
            (own | {"statements": ["CREATE ROLE rights_r"]}, "refused"),
            (own | {"statements": ["SELECT * FROM pg_authid"]}, "refused"),
            (own | {"statements": ["SELECT 1"]}, "allowed"),  # the connection stays usable after a failure
            (own | {"statements": ["SELEKT"]}, "error"),
            (own | {"database": "nowhere", "statements": []}, "error"),
            (own | {"as": "anonymous", "statements": []}, "refused"),
            (own | {"as": ["admin", ""], "statements": []}, "refused"),
            (own | {"as": ["admin", "wrong"], "statements": []}, "refused"),
        ]
        outcomes, results = self.outcomes(
            "sql", server.port, "alerts", DATABASE_PASSWORD_FOR_LIBPQ, *(trial for trial, _ in trials), libpq_value=True
        )
        self.assertEqual(outcomes, [expected for _, expected in trials], results)

    def test_a_cache(self):
        commands = [
            (["ping"], "allowed"),
            (["zadd", "failed_logins_zset:x:y", "x", "x"], "allowed"),
            (["zadd", "other:x", "x", "x"], "refused"),
            (["get", "failed_logins_zset:x:y"], "refused"),
            (["flushall", "x"], "refused"),
            (["zadd"], "error"),
        ]
        trials = [{"as": None, "command": command} for command, _ in commands]
        outcomes, results = self.outcomes("valkey", self.servers.cache.port, None, None, *trials)
        self.assertEqual(outcomes, [expected for _, expected in commands], results)
        trials = [
            {"as": ["observer", "observer"], "command": ["get", "x"]},
            {"as": ["observer", "observer"], "command": ["blpop", "x", "9"], "blocks": True},
            {"as": ["observer", "wrong"], "command": ["ping"]},
            {"as": "anonymous", "command": ["get", "x"]},
        ]
        outcomes, results = self.outcomes("valkey", self.servers.cache.port, "observer", "observer", *trials)
        self.assertEqual(outcomes, ["allowed", "allowed", "refused", "refused"], results)

    def test_an_unreachable_server(self):
        process = [sys.executable, "-B", "-c", "import main; main.PATIENCE = 1; import json, sys, os\n"]
        code = f"{process[3]}print(json.dumps(main.tried(json.load(sys.stdin), {{'H': '127.0.0.1', 'P': '{free_port()}'}})))"
        target = {"kind": "valkey", "host": "H", "port": "P", "trials": [{"as": None, "command": ["ping"]}]}
        done = subprocess.run(
            [*process[:3], code], cwd=HERE, input=json.dumps(target), capture_output=True, text=True, timeout=30, check=True
        )
        self.assertEqual([outcome["outcome"] for outcome in json.loads(done.stdout)], ["error"])


if __name__ == "__main__":
    unittest.main()
