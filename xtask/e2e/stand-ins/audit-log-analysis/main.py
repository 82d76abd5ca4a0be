"""Stand-in for audit-log-analysis: turns events into alerts by two rules. One rule counts events in the cache."""

import json
import logging
import threading
import time
import uuid
from datetime import datetime, timezone

import pika
import redis
from prometheus_client import Counter, Gauge, generate_latest, start_http_server
from redis.backoff import NoBackoff
from redis.retry import Retry

from common import log_to_stdout, serve, settings, until_terminated

PROCESSED = Counter("audit_analysis_processed_total", "Events analysed.")
CONSUMED = Counter("audit_analysis_rabbitmq_messages_consumed_total", "Messages consumed from the broker.")
ALERTS = Counter("audit_analysis_alerts_total", "Alerts raised.", ["alert_type", "severity", "user_id", "server_hostname"])
BROKER = Gauge("audit_analysis_rabbitmq_consumer_connection_status", "1 while connected to the broker.")
CACHE = Gauge("audit_analysis_redis_connection_status", "1 while connected to the cache.")

WINDOW_SECONDS, THRESHOLD = 60, 3
SENSITIVE_FILES = ("/etc/sudoers", "/root/.ssh/authorized_keys", "/etc/shadow", "/etc/passwd")
RETRY_SECONDS = 5  # between two attempts to reach the broker or the cache


class Cache:
    """The cache, without a password. The client reconnects at the next command after a lost connection."""

    def __init__(self, env):
        self.client = redis.Redis(
            host=env.REDIS_HOST, port=env.REDIS_PORT, socket_connect_timeout=5, socket_timeout=5, retry=Retry(NoBackoff(), 1)
        )
        self.up = None  # unknown until the first ping

    def mark(self, up):
        if up != self.up:
            logging.log(logging.INFO if up else logging.ERROR, "cache %s", "connected" if up else "away")
        self.up = up
        CACHE.set(up)

    def ping(self):
        try:
            self.client.ping()
            self.mark(True)
        except redis.RedisError as error:
            logging.debug("ping: %r", error)
            self.mark(False)

    def failed_logins(self, user, host, event_id):
        """The number of failed logins of this user on this host within the window, including this one."""
        key, now = f"failed_logins_zset:{user}:{host}", time.time()
        try:
            with self.client.pipeline(transaction=True) as pipe:
                pipe.zadd(key, {event_id: now}).zremrangebyscore(key, 0, now - WINDOW_SECONDS).zcard(key).expire(key, 2 * WINDOW_SECONDS)
                count = pipe.execute()[2]
        except (redis.ConnectionError, redis.TimeoutError):
            self.mark(False)
            raise
        self.mark(True)
        return count


def alert(event, name, kind, rule_id, description, resource_type, resource_id, action):
    user, host = event.get("user_id", "unknown"), event.get("server_hostname", "unknown")
    ALERTS.labels(kind, "CRITICAL", user, host).inc()
    return {
        "alert_id": str(uuid.uuid4()),
        "correlation_id": event["event_id"],
        "timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "alert_name": name,
        "alert_type": "SECURITY",
        "severity": "CRITICAL",
        "description": description,
        "source_service_name": event.get("source_service", "unknown"),
        "analysis_rule": {"rule_id": rule_id, "rule_name": kind},
        "triggered_by": {"actor_type": "USER", "actor_id": user, "client_ip": event.get("client_ip", "N/A")},
        "impacted_resource": {"resource_type": resource_type, "resource_id": resource_id, "server_hostname": host},
        "action_observed": action,
        "metadata": {"tags": ["audit"]},
        "raw_event_data": event,
    }


def analyse(event, cache):
    """Returns the alert that this event raises, or None."""
    user, host = event.get("user_id", "unknown"), event.get("server_hostname", "unknown")
    match event.get("event_type"), event.get("action_result"):
        case "user_login", "FAILURE" if cache.failed_logins(user, host, event["event_id"]) >= THRESHOLD:
            return alert(
                event,
                "Multiple Failed Login Attempts",
                "failed_login_burst",
                "ANLY-SEC-001",
                f"{THRESHOLD} or more failed login attempts for user '{user}' on '{host}' within {WINDOW_SECONDS} seconds.",
                "SERVER",
                host,
                "LOGIN_FAILURE",
            )
        case "file_modified", "MODIFIED" if event.get("resource") in SENSITIVE_FILES:
            return alert(
                event,
                "Sensitive File Modification Detected",
                "sensitive_file_modified",
                "ANLY-SEC-002",
                f"Sensitive file '{event['resource']}' modified by '{user}' on '{host}'.",
                "FILE",
                event["resource"],
                "FILE_MODIFIED",
            )


class Consumer(threading.Thread):
    """Consumes events and publishes alerts on one connection, which is reopened whenever it is lost."""

    def __init__(self, env, cache):
        super().__init__(daemon=True)
        self.env, self.cache, self.connection, self.up, self.stopping = env, cache, None, False, False

    def mark(self, up):
        self.up = up
        BROKER.set(up)

    def run(self):
        while not self.stopping:
            self.cache.ping()
            if self.cache.up:
                try:
                    self.consume()
                except Exception as error:
                    logging.error("broker connection to %s:%s ended: %r", self.env.RABBITMQ_HOST, self.env.RABBITMQ_PORT, error)
                self.disconnect()
            if not self.stopping:
                time.sleep(RETRY_SECONDS)

    def consume(self):
        env = self.env
        self.connection = pika.BlockingConnection(
            pika.ConnectionParameters(
                host=env.RABBITMQ_HOST,
                port=env.RABBITMQ_PORT,
                virtual_host="/",
                heartbeat=60,
                credentials=pika.PlainCredentials(env.RABBITMQ_USER, env.RABBITMQ_PASS),
            )
        )
        self.events, self.alerts = self.connection.channel(), self.connection.channel()
        self.events.queue_declare(env.RABBITMQ_QUEUE, durable=True)
        self.alerts.queue_declare(env.RABBITMQ_ALERT_QUEUE, durable=True)
        self.events.basic_consume(env.RABBITMQ_QUEUE, self.on_event)
        self.mark(True)
        logging.info("consuming %s", env.RABBITMQ_QUEUE)
        self.events.start_consuming()

    def on_event(self, channel, method, _properties, body):
        CONSUMED.inc()
        try:
            event = json.loads(body)
            event.setdefault("event_id", str(uuid.uuid4()))
        except (ValueError, AttributeError):
            logging.error("not an event, rejected without requeue: %r", body[:200])
            channel.basic_nack(method.delivery_tag, requeue=False)
            return
        PROCESSED.inc()
        try:
            raised = analyse(event, self.cache)
        except redis.RedisError as error:
            logging.error("event %s is requeued: %r", event["event_id"], error)
            self.connection.sleep(1)
            channel.basic_nack(method.delivery_tag, requeue=True)
            return
        if raised:
            raised["environment"] = self.env.ENVIRONMENT
            self.alerts.basic_publish("", self.env.RABBITMQ_ALERT_QUEUE, json.dumps(raised), pika.BasicProperties(delivery_mode=2))
            logging.info("alert %s: %s", raised["alert_id"], raised["description"])
        channel.basic_ack(method.delivery_tag)

    def disconnect(self):
        self.mark(False)
        try:
            if self.connection and self.connection.is_open:
                self.connection.close()
        except Exception:
            pass  # the connection was lost meanwhile; an exception of pika must not end the thread
        self.connection = None

    def stop(self):
        """Finishes the current event and consumes no further one."""
        self.stopping = True
        connection = self.connection
        if connection and connection.is_open and self.up:
            connection.add_callback_threadsafe(self.events.stop_consuming)
            self.join(timeout=3)


def run():
    log_to_stdout()
    env = settings(
        RABBITMQ_HOST=str,
        RABBITMQ_PORT=5672,
        RABBITMQ_USER=str,
        RABBITMQ_PASS=str,
        RABBITMQ_QUEUE="audit_events",
        RABBITMQ_ALERT_QUEUE="audit_alerts",
        REDIS_HOST=str,
        REDIS_PORT=6379,
        APP_PORT=5001,
        PROMETHEUS_PORT=8001,
        ENVIRONMENT="DEVELOPMENT",
    )
    cache = Cache(env)
    consumer = Consumer(env, cache)

    def watch_cache():
        while True:
            cache.ping()
            time.sleep(RETRY_SECONDS)

    def answer(method, path, _query, _body):
        match method, path:
            case "GET", "/healthz":
                healthy = bool(consumer.up and cache.up and consumer.is_alive())
                return (200 if healthy else 503), {
                    "status": "healthy" if healthy else "unhealthy",
                    "rabbitmq_connected": consumer.up,
                    "redis_connected": bool(cache.up),
                    "consumer_thread_alive": consumer.is_alive(),
                }
            case "GET", "/metrics":
                return 200, generate_latest()

    start_http_server(env.PROMETHEUS_PORT)
    threading.Thread(target=watch_cache, daemon=True).start()
    consumer.start()
    serve("0.0.0.0", env.APP_PORT, answer)
    until_terminated()
    consumer.stop()


if __name__ == "__main__":
    run()
