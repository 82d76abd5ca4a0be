"""Tests the stand-in for notification-service: its rows and its failures. Run it like `test_contract.py`."""

import importlib.util
import time
import unittest
import uuid

from contract import Case
from local_servers import eventually
from programs import HERE, http


class Notification(Case):
    def setUp(self):
        super().setUp()
        self.servers.database.sql("DROP TABLE IF EXISTS alerts")

    def alert(self, number=0, **more):
        return {
            "alert_id": str(uuid.uuid4()),
            "correlation_id": str(uuid.uuid4()),
            "timestamp": f"2026-01-01T00:00:{number:02}Z",
            "alert_name": f"n{number}",
            "alert_type": "SECURITY",
            "severity": "CRITICAL",
            "description": "d",
            "source_service_name": "s",
            "raw_event_data": {"a": 1},
            "triggered_by": {"actor_type": "USER", "actor_id": "u", "client_ip": "N/A"},
        } | more

    def stored(self, count):
        eventually(f"{count} rows", 10, lambda: self.servers.database.sql("SELECT count(*) FROM alerts") == [str(count)])

    def test_rows(self):
        program = self.notification()
        indexes = self.servers.database.sql("SELECT indexdef FROM pg_indexes WHERE tablename = 'alerts' AND indexname LIKE 'idx%'")
        self.assertEqual((len(indexes), sum("USING gin" in index for index in indexes)), (8, 2))
        self.assertEqual(self.servers.database.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'alerts'"), ["alerts"])
        alerts = [self.alert(n) for n in range(5)] + [self.alert(5, timestamp="2026-01-01T00:00:05+00:00Z")]
        self.put("audit_alerts", *alerts)
        self.stored(6)
        self.put("audit_alerts", alerts[0] | {"alert_name": "again"}, b"no json", {"no": "alert"})
        eventually("all settled", 10, lambda: self.waiting("audit_alerts") == 0)
        self.stored(6)

        def names(query):
            return [row["alert_name"] for row in http(self.http, f"/alerts{query}")[1]]

        self.assertEqual(names(""), ["n5", "n4", "n3", "n2", "n1", "n0"])
        self.assertEqual(names("?limit=2&offset=1"), ["n4", "n3"])
        for query in ("?limit=0", "?limit=x", "?offset=-1"):
            self.assertEqual(http(self.http, f"/alerts{query}")[0], 400)
        status, one = http(self.http, f"/alerts/{alerts[3]['alert_id']}")
        self.assertEqual((status, one["correlation_id"], one["raw_event_data"]), (200, alerts[3]["correlation_id"], {"a": 1}))
        self.assertEqual(http(self.http, f"/alerts/{uuid.uuid4()}")[0], 404)
        self.assertEqual(http(self.http, "/healthz")[0], 200)
        self.ends_well(program)
        self.notification()  # the table already exists
        self.assertEqual(len(http(self.http, "/alerts")[1]), 6)

    def test_the_password_is_read_by_libpq(self):
        for value in (r"it's a \ secret", "'wrong'"):
            variables = self.notification_variables(PG_PASSWORD=value)
            program = self.program("notification-service", variables, before="main.TRIES, main.TRY_SECONDS = 1, 1")
            self.assertNotEqual(program.wait(20)[0], 0)

    def test_the_database_is_down_at_start(self):
        spec = importlib.util.spec_from_file_location("notification", HERE / "notification-service/main.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.assertEqual((module.TRIES, module.TRY_SECONDS), (5, 30))
        self.servers.database.stop()
        began = time.monotonic()
        program = self.program("notification-service", self.notification_variables(), before="main.TRY_SECONDS = 1")
        while program.process.poll() is None and time.monotonic() - began < 20:
            self.assertEqual(program.connections(self.servers.broker.port), 0)
            time.sleep(0.1)
        status, output = program.wait(1)
        self.assertEqual(status, 1)
        self.assertEqual(output.count("database unreachable"), 5)
        self.assertGreater(time.monotonic() - began, 5)
        program = self.program("notification-service", self.notification_variables())
        time.sleep(2)
        self.ends_well(program)  # during an attempt
        program = self.program("notification-service", self.notification_variables())
        time.sleep(2)
        self.servers.database.start()
        program.listens(self.http)
        eventually("consumes", 5, lambda: program.connections(self.servers.broker.port) == 1)

    def test_the_broker_is_down_at_start(self):
        self.servers.broker.stop()
        program = self.notification()
        self.assertEqual(http(self.http, "/healthz")[0], 200)
        self.servers.broker.start()
        self.never_consumes(program)

    def test_the_broker_connection_is_lost(self):
        program = self.notification()
        self.assertEqual(program.connections(self.servers.broker.port), 1)
        self.servers.broker.stop()
        self.servers.broker.start()
        self.assertEqual(http(self.http, "/alerts"), (200, []))
        self.never_consumes(program)

    def never_consumes(self, program):
        self.put("audit_alerts", self.alert())
        time.sleep(5)
        self.assertEqual(self.waiting("audit_alerts"), 1)
        self.assertEqual(program.connections(self.servers.broker.port), 0)
        self.assertGreaterEqual(program.connections(self.servers.database.port), 1)
        self.assertEqual(http(self.http, "/healthz")[0], 200)
        self.ends_well(program)

    def test_the_database_connection_is_lost(self):
        counting = """
nacks, insert = 0, main.Store.insert
async def counted(self, alert):
    global nacks
    stored = await insert(self, alert)
    nacks += not stored
    return stored
main.Store.insert = counted
api = main.api
main.api = lambda *all: lambda method, path, *rest: (200, nacks) if path == '/nacks' else api(*all)(method, path, *rest)"""
        program = self.notification(before=counting)
        self.put("audit_alerts", self.alert(1))
        self.stored(1)
        self.servers.database.stop()
        self.servers.database.start()
        self.put("audit_alerts", self.alert(2))
        eventually("pool closed", 10, lambda: http(self.http, "/nacks")[1] > 100)
        first = http(self.http, "/nacks")[1]
        time.sleep(2)
        self.assertGreater(http(self.http, "/nacks")[1] - first, 2000)  # a thousand per second
        self.assertEqual(http(self.http, "/alerts"), (200, []))
        self.assertEqual(http(self.http, "/healthz")[0], 200)
        self.assertEqual((program.connections(self.servers.broker.port), program.connections(self.servers.database.port)), (1, 0))
        self.assertEqual(self.waiting("audit_alerts"), 1)
        self.ends_well(program)
        self.notification()  # a restart repairs it
        self.stored(2)

    def test_missing_rights_end_it(self):
        """A role that may not create its table ends the program with an error."""
        self.servers.database.sql("ALTER DATABASE alerts_db OWNER TO admin")
        try:
            status, output = self.program("notification-service", self.notification_variables()).wait(20)
        finally:
            self.servers.database.sql("ALTER DATABASE alerts_db OWNER TO alerts")
        self.assertEqual((status, "permission denied for schema public" in output), (1, True))


if __name__ == "__main__":
    unittest.main()
