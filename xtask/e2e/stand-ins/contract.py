"""Base of the contract tests: running servers, empty queues, and stand-ins started with the variables that the chart sets."""

import atexit
import contextlib
import functools
import json
import unittest
import uuid

import pika

from local_servers import DATABASE_PASSWORD_FOR_LIBPQ, Servers, eventually, free_port
from programs import HERE, Program, http


@functools.cache
def running():
    """The servers, started once per test run."""
    try:
        servers = Servers()
    except FileNotFoundError as missing:
        raise unittest.SkipTest(f"not installed: {missing}") from None
    atexit.register(servers.end)
    return servers


def file_event(path="/etc/shadow", **more):
    return {
        "event_id": str(uuid.uuid4()),
        "event_type": "file_modified",
        "action_result": "MODIFIED",
        "resource": path,
        "user_id": "eve",
        "server_hostname": "h1",
        "severity": "CRITICAL",
        "source_service": "test",
        "timestamp": "2026-01-01T00:00:00Z",
        "details": {},
    } | more


def login_event(user, host="h1", result="FAILURE"):
    return file_event(event_type="user_login", action_result=result, user_id=user, server_hostname=host, resource="")


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = running()

    def setUp(self):
        self.servers.start()
        with self.channel() as channel:
            for queue in ("audit_events", "audit_alerts"):
                channel.queue_declare(queue, durable=True)  # without arguments: the broker refuses a service that declares the queue with some
                channel.queue_purge(queue)

    @contextlib.contextmanager
    def channel(self):
        credentials = pika.PlainCredentials("observer", "observer")
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.servers.broker.port, credentials=credentials))
        yield connection.channel()
        connection.close()

    def put(self, queue, *bodies):
        with self.channel() as channel:
            for body in bodies:
                channel.basic_publish(
                    "", queue, body if isinstance(body, bytes) else json.dumps(body), pika.BasicProperties(delivery_mode=2)
                )

    def take(self, queue, count=1, seconds=10):
        """Consumes that many messages and returns them as (properties, content)."""
        with self.channel() as channel:
            taken = []

            def next_one():
                method, properties, body = channel.basic_get(queue, auto_ack=True)
                if method:
                    taken.append((properties, json.loads(body)))
                return len(taken) >= count

            eventually(f"{count} messages on {queue}, got {len(taken)}", seconds, next_one)
            return taken

    def waiting(self, queue):
        """The number of messages in the queue, including unacknowledged ones."""
        lines = self.servers.broker.control("list_queues", "name", "messages").splitlines()
        return int(dict(line.split() for line in lines)[queue])

    def variables(self, user):
        return {"RABBITMQ_HOST": "127.0.0.1", "RABBITMQ_PORT": self.servers.broker.port, "RABBITMQ_USER": user, "RABBITMQ_PASS": user}

    def program(self, service, variables, *ports, before="", prefix=()):
        program = Program(HERE / service, variables, before, prefix=prefix)
        self.addCleanup(lambda: print(service, "output:", program.end()[1], sep="\n"))
        for port in ports:
            program.listens(port)
        return program

    def ends_well(self, program):
        status, output = program.end()
        self.assertEqual(status, 0, output)

    def generator(self, interval=3600, **more):
        self.http, self.metrics = free_port(), free_port()
        return self.program(
            "audit-event-generator",
            self.variables("generator")
            | {"APP_PORT": self.http, "PROMETHEUS_PORT": self.metrics, "EVENT_GENERATION_INTERVAL_SECONDS": interval}
            | more,
            self.http,
        )

    def analysis(self, **more):
        self.http, self.metrics = free_port(), free_port()
        return self.program(
            "audit-log-analysis",
            self.variables("analysis")
            | {"APP_PORT": self.http, "PROMETHEUS_PORT": self.metrics, "REDIS_HOST": "127.0.0.1", "REDIS_PORT": self.servers.cache.port}
            | more,
            self.http,
            before="main.RETRY_SECONDS = 0.5",
        )

    def notification_variables(self, **more):
        self.http = free_port()
        return (
            self.variables("notification")
            | {
                "RABBITMQ_ALERT_QUEUE": "audit_alerts",
                "PG_HOST": "127.0.0.1",
                "PG_PORT": self.servers.database.port,
                "PG_DB": "alerts_db",
                "PG_USER": "alerts",
                "PG_PASSWORD": DATABASE_PASSWORD_FOR_LIBPQ,
                "SERVICE_NAME": "NotificationService",
                "ENVIRONMENT": "test",
                "LOG_LEVEL": "INFO",
                "API_HOST": "127.0.0.1",
                "API_PORT": self.http,
            }
            | more
        )

    def notification(self, before="", **more):
        program = self.program("notification-service", self.notification_variables(**more), before=before)
        program.listens(self.http)
        return program

    def dashboard(self, port, **more):
        self.page = free_port()
        return self.program(
            "event-audit-dashboard",
            {"NOTIFICATION_SERVICE_HOST": "127.0.0.1", "NOTIFICATION_SERVICE_PORT": port} | more,
            before=f"main.PORT = {self.page}",
        )

    def health(self, wanted, seconds=40):  # a connection attempt while the broker boots may hang for 15 s
        eventually(f"/healthz {wanted}", seconds, lambda: http(self.http, "/healthz")[0] == wanted)
