"""The containers that wait for a login."""

import signal
import time

from containers import LOGIN_REMEDY, PASSWORDS, Servers  # which also makes the modules below importable
from local_servers import DATABASE_PASSWORD_FOR_LIBPQ, free_port

WRONG = PASSWORDS["wrong"]


class Wait(Servers):
    def waits(self, script, environment, reason):
        """The container prints this reason, goes on waiting, and ends at the signal of a Pod that is stopped."""
        process = self.start(script, *([] if script.endswith(".py") else ["wait"]), **environment)
        line = process.stdout.readline().decode()
        self.assertIn(reason, line)
        time.sleep(2)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        code, more = self.ended(process, 15)
        self.assertEqual((code, more), (143, ""), "each reason is printed once")

    def becomes_ready(self, script, environment, server, words):
        server.stop()
        process = self.start(script, *([] if script.endswith(".py") else ["wait"]), **environment)
        self.assertIn(": waiting: ", process.stdout.readline().decode())
        server.start()
        code, output = self.ended(process)
        self.assertEqual((code, output.splitlines()[-1]), (0, words))

    def test_logins_that_work(self):
        where = f"127.0.0.1:{self.servers.broker.port}"
        self.assertEqual(self.run_script("amqp.py", **self.amqp("consumer")), (0, f"log in at {where} as consumer: ok\n"))
        where = f"127.0.0.1:{self.servers.database.port}"
        self.assertEqual(self.run_script("postgresql.sh", "wait", **self.postgresql()), (0, f"log in at {where} as alerts: ok\n"))
        where = f"127.0.0.1:{self.servers.cache.port}"
        self.assertEqual(self.run_script("valkey.sh", "wait", **self.valkey()), (0, f"log in at {where}: ok\n"))
        for user in ("pings", "pings-not"):  # a login without the right to ping is a login
            self.assertEqual(self.run_script("valkey.sh", "wait", **self.valkey(user)), (0, f"log in at {where} as {user}: ok\n"))

    def test_wrong_passwords(self):
        self.waits("amqp.py", self.amqp("consumer", WRONG), " as consumer: waiting: 403 ACCESS_REFUSED")
        self.waits(
            "postgresql.sh",
            self.postgresql(password=f"'{WRONG}'"),
            'FATAL: password authentication failed for user "alerts": ' + LOGIN_REMEDY,
        )
        self.waits("valkey.sh", self.valkey("pings", WRONG), " as pings: waiting: the server refuses it: AUTH failed: WRONGPASS")

    def test_servers_that_are_away(self):
        port = free_port()
        self.waits("amqp.py", self.amqp("consumer", port=port), "waiting: [Errno 111] Connection refused")
        for script, environment in (("postgresql.sh", self.postgresql(port=port)), ("valkey.sh", self.valkey("pings", port=port))):
            self.waits(script, environment, "Connection refused")

    def test_servers_that_come_later(self):
        where = f"127.0.0.1:{self.servers.database.port} as alerts"
        self.becomes_ready("postgresql.sh", self.postgresql(), self.servers.database, f"log in at {where}: ok")
        where = f"127.0.0.1:{self.servers.cache.port}"
        self.becomes_ready("valkey.sh", self.valkey(), self.servers.cache, f"log in at {where}: ok")
        where = f"127.0.0.1:{self.servers.broker.port} as consumer"
        self.becomes_ready("amqp.py", self.amqp("consumer"), self.servers.broker, f"log in at {where}: ok")

    def test_a_login_that_is_provisioned_later(self):
        database = self.servers.database
        self.addCleanup(database.sql, "DROP ROLE late")
        process = self.start("postgresql.sh", "wait", **self.postgresql("late", "late-Zkq"))
        self.assertIn('password authentication failed for user "late"', process.stdout.readline().decode())
        database.sql("CREATE ROLE late LOGIN PASSWORD 'late-Zkq'")
        self.assertEqual(self.ended(process)[0], 0)

    def test_libpq_values(self):
        """The password is what libpq makes of the value, as in the connection string of the program."""
        passwords = {
            DATABASE_PASSWORD_FOR_LIBPQ: None,
            "'plain'": "plain",
            "plain": "plain",
            r"back\\slash\'": r"back\slash'",
            "in'side": "in'side",
            "'a space'": "a space",
            r"'é ß \\ \' $x `y` \"z\" *'": "é ß \\ ' $x `y` \"z\" *",
            "' '": " ",
            "'trailing\\\\'": "trailing\\",
            "'line'\n": "line",
        }
        database = self.servers.database
        database.sql("CREATE ROLE quoted LOGIN")
        self.addCleanup(database.sql, "DROP ROLE quoted")
        for value, password in passwords.items():
            user = "alerts"
            if password is not None:
                user = "quoted"
                database.sql("ALTER ROLE quoted PASSWORD '{}'".format(password.replace("'", "''")))
            process = self.start("postgresql.sh", "wait", **self.postgresql(user, value))
            code, output = self.first_line_of(process)
            self.assertEqual((code, output.endswith(": ok\n")), (0, True), (value, output))
            if password:
                process = self.start("postgresql.sh", "wait", **self.postgresql(user, password, variable="PGPASSWORD"))
                self.assertTrue(self.first_line_of(process)[1].endswith(": ok\n"), password)

    def first_line_of(self, process):
        line = process.stdout.readline().decode()
        if not line.endswith(": ok\n"):
            process.terminate()
        code, _ = self.ended(process, 15)
        return code, line

    def test_values_that_libpq_does_not_take(self):
        for value in ("two words", "'open", "'closed' twice'", "trailing\\", "'", ""):
            environment = self.postgresql() | {"LIBPQ_PASSWORD": value}
            code, output = self.run_script("postgresql.sh", "wait", **environment)
            self.assertEqual(code, 1, value)
            self.assertIn(" as alerts: FAILED: the password in the Secret is not a value of a libpq connection string", output)

    def test_passwords_with_special_characters(self):
        password = "p w'\"\\ $x `y` é*"
        import redis

        with redis.Redis(port=self.servers.cache.port, username="observer", password="observer") as cache:
            cache.execute_command("ACL", "SETUSER", "special", "on", f">{password}", "-@all", "+ping")
        self.assertEqual(self.run_script("valkey.sh", "ping", **self.valkey("special", password))[0], 0)
        self.servers.broker.control("add_user", "special", password)
        self.servers.broker.control("set_permissions", "special", "", "", "")
        self.addCleanup(self.servers.broker.control, "delete_user", "special")
        self.assertEqual(self.run_script("amqp.py", **self.amqp("special", password))[0], 0)

    def test_a_frozen_server(self):
        """Accepts connections and answers nothing."""
        port = self.listen()
        self.waits("amqp.py", self.amqp("consumer", port=port), "waiting: timed out")
        self.waits("valkey.sh", self.valkey("pings", port=port), "waiting: cannot connect: no answer within 5 s: ")
        self.waits("postgresql.sh", self.postgresql(port=port), "timeout expired")

    def test_variables_that_are_not_set(self):
        for script, variable in (("amqp.py", "AMQP_HOST"), ("postgresql.sh", "PGHOST"), ("valkey.sh", "VALKEY_HOST")):
            process = self.start(script, "wait")
            _, errors = process.communicate(timeout=20)
            self.assertNotEqual(process.returncode, 0)
            self.assertIn(variable, errors.decode())

