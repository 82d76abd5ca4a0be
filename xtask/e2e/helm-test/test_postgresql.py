"""What `helm test` tries at a database."""

import time

from containers import CONNECT_REMEDY, LOGIN_REMEDY, PASSWORDS, Servers  # which also makes the module below importable
from local_servers import free_port


class Postgresql(Servers):
    def database(self, *arguments, **more):
        code, output = self.run_script("postgresql.sh", "test", **self.postgresql(*arguments, **more))
        self.assertEqual(output.count("\n"), 1, output)
        self.assertEqual(self.servers.database.sql("SELECT relname FROM pg_class WHERE relname LIKE 'helm%'"), [])
        return code, output.strip().replace(str(self.servers.database.port), "PORT")

    def test_it_works(self):
        what = "create, write and read a table in alerts_db at 127.0.0.1:PORT as alerts"
        self.assertEqual(self.database(), (0, f"{what}: ok"))

    def test_a_right_that_is_missing(self):
        code, line = self.database("creates-nothing")
        self.assertEqual(code, 1)
        self.assertIn(" as creates-nothing: FAILED: the server refuses it: ERROR: permission denied for schema public", line)
        self.assertTrue(line.endswith(": " + LOGIN_REMEDY), line)

    def test_a_database_that_refuses_to_write(self):
        self.servers.database.sql("ALTER ROLE alerts SET default_transaction_read_only = on")
        self.addCleanup(self.servers.database.sql, "ALTER ROLE alerts RESET default_transaction_read_only")
        code, line = self.database()
        self.assertEqual(code, 1)
        self.assertTrue(line.endswith(": FAILED: the server refuses it: ERROR: cannot execute CREATE TABLE in a read-only transaction"), line)

    def test_refused_logins(self):
        for words, environment in (
            ('password authentication failed for user "alerts"', {"password": f"'{PASSWORDS['wrong']}'"}),
            ('password authentication failed for user "nobody-here"', {"user": "nobody-here", "password": "x"}),
        ):
            code, line = self.database(**environment)
            self.assertEqual(code, 1)
            self.assertIn(f": FAILED: the server refuses it: connection to server at \"127.0.0.1\", port PORT failed: FATAL: {words}", line)
            self.assertTrue(line.endswith(": " + LOGIN_REMEDY), line)
        environment = self.postgresql() | {"PGDATABASE": "missing"}
        code, output = self.run_script("postgresql.sh", "test", **environment)
        self.assertEqual(code, 1)
        self.assertIn('FATAL: database "missing" does not exist', output)

    def test_no_connection(self):
        places = (
            ("127.0.0.1", free_port(), "Connection refused"),
            ("no-such-name.invalid", 5432, 'could not translate host name "no-such-name.invalid" to address'),
        )
        began = time.monotonic()
        processes = [self.start("postgresql.sh", "test", **self.postgresql(port=port) | {"PGHOST": host}) for host, port, _ in places]
        for (host, port, words), process in zip(places, processes):
            code, output = self.ended(process)
            self.assertTrue(18 < time.monotonic() - began < 35)
            self.assertEqual(code, 1)
            self.assertIn(f"at {host}:{port} as alerts: FAILED: cannot connect: ", output)
            self.assertIn(words, output)
            self.assertTrue(output.endswith(f": {CONNECT_REMEDY}\n"), output)

    def test_a_server_that_comes_later(self):
        self.servers.database.stop()
        process = self.start("postgresql.sh", "test", **self.postgresql())
        time.sleep(2)
        self.servers.database.start()
        self.assertEqual(self.ended(process)[0], 0)

    def test_a_server_that_is_no_database(self):
        code, line = self.database(port=self.listen(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        self.assertEqual(code, 1)
        self.assertIn("invalid response to SSL negotiation", line)
