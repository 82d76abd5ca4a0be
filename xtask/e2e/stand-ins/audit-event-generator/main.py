"""Stand-in for audit-event-generator: publishes generated audit events and events posted to it."""

import json
import logging
import random
import threading
import time
import uuid
from datetime import datetime, timezone

import pika
from prometheus_client import Counter, Gauge, generate_latest, start_http_server

from common import log_to_stdout, serve, settings, until_terminated

EVENTS = Counter("audit_event_generator_events_total", "Events made.", ["event_type", "server_hostname", "action_result"])
PUBLISHED = Counter("audit_event_generator_published_success_total", "Events sent to the broker.")
DROPPED = Counter("audit_event_generator_published_failure_total", "Events dropped because the broker was unreachable.")
CONNECTED = Gauge("audit_event_generator_rabbitmq_connection_status", "1 while connected to the broker.")

HOSTS = ("web-1", "web-2", "db-1", "batch-1")
USERS = ("alice", "bob", "carol", "deploy", "backup")
# The generated events. They have a file name only in `details`, so only posted events with `resource` raise the file alert.
TEMPLATES = (
    ("user_login", "INFO", "SUCCESS", {"protocol": "ssh"}),
    ("user_login", "WARNING", "FAILURE", {"protocol": "ssh", "reason": "wrong password"}),
    ("sudo_command", "INFO", "SUCCESS", {"command": "systemctl reload nginx"}),
    ("file_modified", "CRITICAL", "MODIFIED", {"resource": "/etc/passwd"}),
    ("service_status_change", "WARNING", "STOPPED", {"resource": "nginx.service"}),
    ("user_account_management", "INFO", "CREATED", {"group": "users"}),
)


class Publisher:
    """One broker connection, reopened at the next event after a loss. Events are not buffered."""

    def __init__(self, env):
        self.env, self.connection, self.channel, self.lock = env, None, None, threading.Lock()

    def is_open(self):
        return self.channel is not None and self.channel.is_open

    def connect(self):
        self.disconnect()
        env = self.env
        try:
            self.connection = pika.BlockingConnection(
                pika.ConnectionParameters(
                    host=env.RABBITMQ_HOST,
                    port=env.RABBITMQ_PORT,
                    virtual_host="/",
                    heartbeat=60,
                    credentials=pika.PlainCredentials(env.RABBITMQ_USER, env.RABBITMQ_PASS),
                )
            )
            channel = self.connection.channel()
            channel.queue_declare(env.RABBITMQ_QUEUE, durable=True)
            self.channel = channel
            CONNECTED.set(1)
            logging.info("connected to the broker at %s:%s", env.RABBITMQ_HOST, env.RABBITMQ_PORT)
        except Exception as error:
            logging.error("no broker at %s:%s: %r", env.RABBITMQ_HOST, env.RABBITMQ_PORT, error)
            self.disconnect()

    def disconnect(self):
        CONNECTED.set(0)
        try:
            if self.connection and self.connection.is_open:
                self.connection.close()
        except pika.exceptions.AMQPError:
            pass  # the connection was lost meanwhile
        self.connection = self.channel = None

    def publish(self, event):
        EVENTS.labels(event["event_type"], event["server_hostname"], event["action_result"]).inc()
        body = json.dumps(event)
        with self.lock:  # the loop and the HTTP threads share one channel
            if not self.is_open():
                self.connect()
            try:
                if not self.is_open():
                    raise ConnectionError("not connected")
                self.channel.basic_publish("", self.env.RABBITMQ_QUEUE, body, pika.BasicProperties(delivery_mode=2))
                PUBLISHED.inc()
                logging.info("published %s", body)
            except Exception as error:
                DROPPED.inc()
                logging.error("dropped event %s: %r", event["event_id"], error)
                self.disconnect()


def complete(event, source):
    """Adds the missing required fields to an event."""
    invented = {
        "server_hostname": random.choice(HOSTS),
        "severity": "INFO",
        "user_id": random.choice(USERS),
        "action_result": "SUCCESS",
        "details": {},
    }
    return (
        invented
        | event
        | {
            "event_id": str(uuid.uuid4()),
            "source_service": source,
            "timestamp": datetime.now(timezone.utc).isoformat().replace("+00:00", "Z"),
        }
    )


def run():
    log_to_stdout()
    env = settings(
        RABBITMQ_HOST=str,
        RABBITMQ_PORT=5672,
        RABBITMQ_USER=str,
        RABBITMQ_PASS=str,
        RABBITMQ_QUEUE="audit_events",
        APP_PORT=5000,
        PROMETHEUS_PORT=8000,
        EVENT_GENERATION_INTERVAL_SECONDS=5,
    )
    publisher = Publisher(env)

    def loop():
        while True:
            kind, severity, result, details = random.choice(TEMPLATES)
            publisher.publish(
                complete({"event_type": kind, "severity": severity, "action_result": result, "details": details}, "audit-event-generator")
            )
            time.sleep(env.EVENT_GENERATION_INTERVAL_SECONDS)

    def answer(method, path, _query, body):
        match method, path:
            case "GET", "/healthz":
                healthy = publisher.is_open()
                return (200 if healthy else 503), {"status": "healthy" if healthy else "unhealthy", "rabbitmq_connected": healthy}
            case "GET", "/metrics":
                return 200, generate_latest()
            case "POST", "/generate_event":
                try:
                    event = json.loads(body)
                except ValueError:
                    event = None
                if not isinstance(event, dict) or "event_type" not in event:
                    return 400, {"error": "an event needs an 'event_type'"}
                event = complete(event, "audit-event-generator-api")
                publisher.publish(event)
                return 202, {"status": "success", "event_id": event["event_id"]}

    publisher.connect()
    start_http_server(env.PROMETHEUS_PORT)
    threading.Thread(target=loop, daemon=True).start()
    serve("0.0.0.0", env.APP_PORT, answer)
    until_terminated()


if __name__ == "__main__":
    run()
