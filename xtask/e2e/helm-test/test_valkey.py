"""What `helm test` tries at a cache."""

import time

from containers import CONNECT_REMEDY, LOGIN_REMEDY, PASSWORDS, Servers  # which also makes the module below importable
from local_servers import free_port


class Valkey(Servers):
    def cache(self, verb, *arguments, **more):
        code, output = self.run_script("valkey.sh", verb, **self.valkey(*arguments, **more))
        self.assertEqual(output.count("\n"), 1, output)
        return code, output.strip().replace(str(self.servers.cache.port), "PORT")

    def test_it_works(self):
        self.assertEqual(self.cache("ping"), (0, "ping 127.0.0.1:PORT: ok"))
        self.assertEqual(self.cache("ping", "pings"), (0, "ping 127.0.0.1:PORT as pings: ok"))
        for user in ("pings", "pings-not"):
            self.assertEqual(self.cache("log-in", user), (0, f"log in at 127.0.0.1:PORT as {user}: ok"))

    def test_a_right_that_is_missing(self):
        code, line = self.cache("ping", "pings-not")
        self.assertEqual(code, 1)
        self.assertRegex(line, "^ping 127.0.0.1:PORT as pings-not: FAILED: the server refuses it: NOPERM .*'ping' command")
        self.assertTrue(line.endswith(": " + LOGIN_REMEDY), line)

    def test_refused_logins(self):
        for user, password in (("pings", PASSWORDS["wrong"]), ("nobody-here", "x")):
            for verb in ("ping", "log-in"):
                code, line = self.cache(verb, user, password)
                self.assertEqual(code, 1)
                self.assertIn(f"127.0.0.1:PORT as {user}: FAILED: the server refuses it: AUTH failed: WRONGPASS invalid username-password", line)
                self.assertTrue(line.endswith(": " + LOGIN_REMEDY), line)

    def test_a_server_that_takes_no_anonymous_clients(self):
        port = self.listen(b"-NOAUTH Authentication required.\r\n")
        code, line = self.cache("ping", port=port)
        self.assertEqual((code, line), (1, f"ping 127.0.0.1:{port}: FAILED: the server refuses it: NOAUTH Authentication required.: {LOGIN_REMEDY}"))

    def test_a_server_that_loads_its_data(self):
        code, line = self.cache("ping", port=self.listen(b"-LOADING Valkey is loading the dataset in memory\r\n"))
        self.assertEqual(code, 1)
        self.assertTrue(line.endswith(": FAILED: LOADING Valkey is loading the dataset in memory"), line)

    def test_no_connection(self):
        places = (
            ("127.0.0.1", free_port(), "Connection refused"),
            ("no-such-name.invalid", 6379, "no-such-name.invalid:6379: "),
            ("127.0.0.1", self.listen(), "cannot connect: no answer within 5 s: "),
        )
        began = time.monotonic()
        processes = [self.start("valkey.sh", "ping", **self.valkey("pings", port=port) | {"VALKEY_HOST": host}) for host, port, _ in places]
        for (host, port, words), process in zip(places, processes):
            code, output = self.ended(process)
            self.assertTrue(18 < time.monotonic() - began < 35)
            self.assertEqual(code, 1)
            self.assertIn(f"ping {host}:{port} as pings: FAILED: cannot connect: ", output)
            self.assertIn(words, output)
            self.assertTrue(output.endswith(f": {CONNECT_REMEDY}\n"), output)

    def test_a_server_that_comes_later(self):
        self.servers.cache.stop()
        process = self.start("valkey.sh", "ping", **self.valkey())
        time.sleep(2)
        self.servers.cache.start()
        self.assertEqual(self.ended(process)[0], 0)

    def test_a_server_that_is_no_cache(self):
        code, line = self.cache("ping", "pings", port=self.listen(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        self.assertEqual(code, 1)
        self.assertTrue(line.endswith("does something else listen on this port?"), line)

    def test_a_server_that_repeats_the_password(self):
        answer = f"-ERR unknown command `AUTH`, with args beginning with: `pings` `{PASSWORDS['pings']}`\r\n".encode()
        code, line = self.cache("log-in", "pings", port=self.listen(answer))
        self.assertEqual(code, 1)
        self.assertIn("ERR unknown command `AUTH`, with args beginning with: `pings` `***`", line)
