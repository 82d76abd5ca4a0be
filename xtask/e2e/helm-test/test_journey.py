"""One thing through the whole platform, and what it leaves."""

import json
import signal
import threading
import time

from scripts import PASSWORDS, Servers  # which also finds the module below
from local_servers import DATABASE_PASSWORD_FOR_LIBPQ, eventually


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
