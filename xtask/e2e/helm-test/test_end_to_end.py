"""The test of the whole platform, and the removal of its rows."""

import json
import os
import signal
import tempfile
import threading
import time

from containers import CONNECT_REMEDY, PASSWORDS, Servers  # which also makes the module below importable
from local_servers import free_port

MARKER = "helm-test-0b6f"
STATEMENT = f"DELETE FROM end_to_end WHERE actor = '{MARKER}'"


class EndToEnd(Servers):
    def setUp(self):
        super().setUp()
        self.servers.database.sql(
            "DROP TABLE IF EXISTS end_to_end; CREATE TABLE end_to_end (actor text); ALTER TABLE end_to_end OWNER TO alerts"
        )
        self.bodies, self.types = [], []
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.result = f"{folder.name}/result"

    def posted(self, content_type, body):
        self.types.append(content_type)
        self.bodies.append(body)
        self.servers.database.sql(f"INSERT INTO end_to_end VALUES ('{json.loads(body)['actor']}'), ('another')")
        return "{}"

    def rows(self):
        return sorted(self.servers.database.sql("SELECT actor FROM end_to_end"))

    def start_both(self, send="/send", posted=None, page=None, within=2, password=None, statement=STATEMENT, port=None):
        """The two containers of the Job: the one that sends and waits, and the one that removes the rows."""
        url = f"http://127.0.0.1:{self.serve(posted=posted or self.posted, page=page or (lambda: '<p>' + '</p><p>'.join(self.bodies)))}"
        test = self.start(
            "end_to_end.py",
            DESCRIPTION="From here to there.",
            MARKER=MARKER,
            SEND_URL=url + send,
            SEND_BODY=json.dumps({"actor": MARKER}),
            PAGE_URL=f"{url}/page?of={MARKER}",
            WITHIN_SECONDS=within,
            SERVICES="here, there",
            RESULT_FILE=self.result,
        )
        login = self.postgresql(password=password, port=port)
        clean_up = self.start(
            "postgresql.sh", "clean-up", STATEMENT=statement, RESULT_FILE=self.result, TEST_SECONDS=60, **login
        )
        return test, clean_up

    def run_both(self, **plan):
        test, clean_up = self.start_both(**plan)
        (code, output), (code_of_clean_up, removed) = self.ended(test), self.ended(clean_up)
        return code, output, code_of_clean_up, removed

    def test_shown_and_removed(self):
        code, output, code_of_clean_up, removed = self.run_both()
        self.assertEqual((code, code_of_clean_up, self.types), (0, 0, ["application/json"]), output + removed)
        self.assertRegex(
            output, rf"^From here to there.: {MARKER}\nPOST http://127\.\S+/send: answered 200\nGET http://\S+: shows it after .* s\n$"
        )
        self.assertEqual(removed, "rows removed from alerts_db: 1\n")
        self.assertEqual(self.rows(), ["another"])

    def test_without_rows_to_remove(self):
        url = f"http://127.0.0.1:{self.serve(posted=self.posted, page=lambda: MARKER)}"
        plan = {"DESCRIPTION": "d", "MARKER": MARKER, "SEND_URL": f"{url}/send", "SEND_BODY": json.dumps({"actor": MARKER}), "SERVICES": "s"}
        self.assertEqual(self.run_script("end_to_end.py", PAGE_URL=f"{url}/page", WITHIN_SECONDS=2, **plan)[0], 0)

    def test_shown_later(self):
        began = time.monotonic()
        code, _, code_of_clean_up, _ = self.run_both(page=lambda: self.bodies[0] if time.monotonic() > began + 3 else "", within=20)
        self.assertEqual((code, code_of_clean_up, self.rows()), (0, 0, ["another"]))

    def test_not_shown(self):
        code, output, code_of_clean_up, removed = self.run_both(page=lambda: "nothing")
        self.assertEqual((code, code_of_clean_up), (1, 0))
        self.assertRegex(
            output, "FAILED: GET .* does not show it within [23] s; its last answer: 200 with 7 characters. Look next at the logs of here, there, "
        )
        self.assertEqual(removed, "rows removed from alerts_db: 1\nThe database stored the event, but the page did not show it.\n")
        self.assertEqual(self.rows(), ["another"])

    def test_not_shown_and_not_stored(self):
        code, _, code_of_clean_up, removed = self.run_both(posted=lambda *_: "")
        self.assertEqual((code, code_of_clean_up), (1, 0))
        self.assertIn(f"rows removed from alerts_db: 0\nA row can still arrive after the fault is repaired. In that case, run this by hand: {STATEMENT}", removed)

    def test_stored_too_late(self):
        def later(content_type, body):
            threading.Timer(5, self.posted, (content_type, body)).start()
            return ""

        code, _, _, removed = self.run_both(posted=later)
        self.assertEqual(code, 1)
        self.assertIn("rows removed from alerts_db: 1\n", removed)
        self.assertEqual(self.rows(), ["another"])

    def test_shown_and_not_in_the_database(self):
        def elsewhere(_, body):
            self.bodies.append(body)
            return ""

        code, _, code_of_clean_up, removed = self.run_both(posted=elsewhere)
        self.assertEqual((code, code_of_clean_up), (0, 1))
        self.assertIn("FAILED: the page shows the test, but alerts_db had no row of it. Check whether this statement still matches the rows of the test: DELETE", removed)

    def test_rows_that_cannot_be_removed(self):
        for plan, words in (
            ({"password": f"'{PASSWORDS['wrong']}'"}, 'FATAL: password authentication failed for user "alerts"'),
            ({"statement": "DELETE FROM missing"}, 'ERROR: relation "missing" does not exist'),
            ({"port": free_port()}, f"Connection refused Is the server running on that host and accepting TCP/IP connections?: {CONNECT_REMEDY}"),
        ):
            code, _, code_of_clean_up, removed = self.run_both(**plan)
            self.assertEqual((code, code_of_clean_up), (0, 1))
            self.assertRegex(removed, r"^FAILED: cannot remove rows that the test may have left in alerts_db at 127.0.0.1:\d+ as alerts: ")
            self.assertIn(words, removed)
            self.assertRegex(removed, r"\. Run this by hand: DELETE FROM ")

    def test_not_sent(self):
        began = time.monotonic()
        code, output, code_of_clean_up, removed = self.run_both(send="/503")
        self.assertEqual((code, code_of_clean_up, removed), (1, 0, "rows removed from alerts_db: 0\n"))
        self.assertRegex(output, "FAILED: POST .*: answered 503: status 503\n$")
        self.assertLess(time.monotonic() - began, 5)

    def test_the_pod_is_stopped(self):
        asked = threading.Event()
        test, clean_up = self.start_both(page=lambda: asked.set() or "nothing", within=60)
        self.assertTrue(asked.wait(10))
        for process in (test, clean_up):
            process.send_signal(signal.SIGTERM)
        self.assertEqual(self.ended(test, 10)[0], 143)
        code, removed = self.ended(clean_up, 10)
        self.assertEqual((code, self.rows()), (143, ["another"]), removed)

    def test_the_other_container_ends_without_a_result(self):
        self.servers.database.sql(f"INSERT INTO end_to_end VALUES ('{MARKER}')")
        began = time.monotonic()
        result = self.run_script("postgresql.sh", "clean-up", STATEMENT=STATEMENT, RESULT_FILE=self.result, TEST_SECONDS=1, **self.postgresql())
        self.assertEqual(result, (0, "rows removed from alerts_db: 1\n"))
        self.assertTrue(10 < time.monotonic() - began < 20)
        self.assertEqual(self.rows(), [])

    def test_several_statements(self):
        self.servers.database.sql(f"INSERT INTO end_to_end VALUES ('{MARKER}'), ('{MARKER}'), ('another')")
        with open(self.result, "w") as file:
            file.write("shown")
        statement = f"DELETE FROM end_to_end WHERE actor = 'another'; {STATEMENT}"
        result = self.run_script("postgresql.sh", "clean-up", STATEMENT=statement, RESULT_FILE=self.result, TEST_SECONDS=9, **self.postgresql())
        self.assertEqual(result, (0, "rows removed from alerts_db: 3\n"))

    def test_a_result_appears_at_once(self):
        """Never a part of it, nor an empty file."""
        url = f"http://127.0.0.1:{free_port()}"
        environment = {"DESCRIPTION": "d", "MARKER": MARKER, "SEND_URL": url, "SEND_BODY": "{}", "PAGE_URL": url, "WITHIN_SECONDS": 1}
        process = self.start("end_to_end.py", RESULT_FILE=self.result, TEST_SECONDS=90, SERVICES="s", **environment)
        while process.poll() is None:
            if os.path.exists(self.result):
                with open(self.result) as file:
                    self.assertEqual(file.read(), "not sent")
            time.sleep(0.01)
        code, output = self.ended(process)
        self.assertEqual((code, os.listdir(os.path.dirname(self.result))), (1, ["result"]))
        self.assertIn(f"FAILED: POST {url}: cannot connect: Connection refused: {CONNECT_REMEDY}", output)
