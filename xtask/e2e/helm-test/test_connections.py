"""The logins that the tests share with what starts and probes a service."""

import signal

from scripts import PASSWORDS, Servers  # which also finds the module below
from local_servers import DATABASE_PASSWORD_FOR_LIBPQ


class Connections(Servers):
    """The command that pods start and are probed with: what the tests share with it must leave it as it is."""

    def environment(self):
        login = self.login(self.servers.broker, "consumer")
        database = {"DP": self.servers.database.port, "DU": "alerts", "DW": DATABASE_PASSWORD_FOR_LIBPQ, "DD": "alerts_db"}
        return login | database | {"CP": self.servers.cache.port, "CU": "cache", "CW": PASSWORDS["cache"]}

    def test_wait(self):
        code, said = self.run_script(
            "connections.py",
            "wait",
            "amqp=H,P,U,W",
            "postgresql+libpq=H,DP,DU,DW,DD",
            "redis=H,CP",
            "redis=H,CP,CU,CW",
            **self.environment(),
        )
        self.assertEqual((code, said.count(": login works\n"), len(said.splitlines())), (0, 4, 4), said)

    def test_waits_for_a_login_and_not_for_a_port(self):
        wrong = {"W": PASSWORDS["wrong"], "DW": f"'{PASSWORDS['wrong']}'", "CW": PASSWORDS["wrong"]}
        for server, words in {
            "amqp=H,P,U,W": "amqp://consumer@127.0.0.1:PORT/: waiting, 403 ACCESS_REFUSED",
            "postgresql+libpq=H,DP,DU,DW,DD": "postgresql://alerts@127.0.0.1:PORT/alerts_db: waiting, 28P01 password",
            "redis=H,CP,CU,CW": "redis://cache@127.0.0.1:PORT/: waiting, WRONGPASS",
        }.items():
            environment = self.environment() | wrong
            process = self.start("connections.py", "wait", server, **environment)
            line = process.stdout.readline().decode()
            port = str(environment[server.partition("=")[2].split(",")[1]])
            self.assertIn(words, line.replace(port, "PORT"))
            process.terminate()
            self.assertEqual(self.ended(process)[0], -signal.SIGTERM)

    def test_probes(self):
        def probe(verb):
            return self.run_script("connections.py", verb, "amqp=H,P,U,W", **self.environment())

        server = f"amqp://consumer@127.0.0.1:{self.servers.broker.port}/"
        self.assertEqual(probe("connected"), (1, f"no connection to {server}\n"))
        self.assertEqual(probe("alive"), (1, f"no connection to {server}, which accepts connections\n"))
        with self.channel():
            self.assertEqual([probe("connected"), probe("alive")], [(0, ""), (0, "")])
