"""Stand-in for notification-service: stores alerts from the queue as rows and serves them over HTTP.

Its failures are part of the contract: it never reconnects to a broker or database after a lost connection, and still reports healthy.
"""

import asyncio
import json
import logging
import signal
import sys
import uuid
from datetime import datetime

import pika
from pika.adapters.asyncio_connection import AsyncioConnection
from psycopg import Error, OperationalError
from psycopg.errors import UniqueViolation
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from common import log_to_stdout, serve, settings

TRIES, TRY_SECONDS = 5, 30  # to reach the database at start
HEARTBEAT_SECONDS = 600

TABLE = """
CREATE TABLE IF NOT EXISTS alerts (
    alert_id UUID PRIMARY KEY,
    correlation_id UUID NOT NULL,
    timestamp TIMESTAMPTZ NOT NULL,
    received_at TIMESTAMPTZ DEFAULT now(),
    alert_name VARCHAR(255) NOT NULL,
    alert_type VARCHAR(50) NOT NULL,
    severity VARCHAR(50) NOT NULL,
    description TEXT,
    source_service_name VARCHAR(255),
    rule_id VARCHAR(255),
    rule_name VARCHAR(255),
    actor_type VARCHAR(50),
    actor_id VARCHAR(255),
    client_ip INET,
    resource_type VARCHAR(50),
    resource_id VARCHAR(255),
    server_hostname VARCHAR(255),
    action_observed VARCHAR(255),
    analysis_rule_details JSONB,
    triggered_by_details JSONB,
    impacted_resource_details JSONB,
    metadata JSONB,
    raw_event_data JSONB NOT NULL
)"""
INDEXES = [
    f"CREATE INDEX IF NOT EXISTS idx_alerts_{name} ON alerts {columns}"
    for name, columns in {
        "timestamp": "(timestamp DESC)",
        "alert_type": "(alert_type)",
        "severity": "(severity)",
        "actor_id": "(actor_id)",
        "server_hostname": "(server_hostname)",
        "rule_name": "(rule_name)",
        "metadata_gin": "USING GIN (metadata)",
        "raw_event_data_gin": "USING GIN (raw_event_data)",
    }.items()
]


def row(alert):
    """The columns of an alert. Raises KeyError or ValueError if the message is not an alert."""
    rule, actor, resource = (alert.get(part) or {} for part in ("analysis_rule", "triggered_by", "impacted_resource"))
    timestamp = alert["timestamp"]
    return {
        "alert_id": uuid.UUID(alert["alert_id"]),
        "correlation_id": uuid.UUID(alert["correlation_id"]),
        # The real audit-log-analysis writes `…+00:00Z`.
        "timestamp": datetime.fromisoformat(timestamp[:-1] if timestamp.endswith("+00:00Z") else timestamp),
        **{name: alert[name] for name in ("alert_name", "alert_type", "severity")},
        **{name: alert.get(name) for name in ("description", "source_service_name", "action_observed")},
        "rule_id": rule.get("rule_id"),
        "rule_name": rule.get("rule_name"),
        "actor_type": actor.get("actor_type"),
        "actor_id": actor.get("actor_id"),
        "client_ip": None if actor.get("client_ip") in (None, "", "N/A") else actor["client_ip"],
        **{name: resource.get(name) for name in ("resource_type", "resource_id", "server_hostname")},
        "analysis_rule_details": json.dumps(rule),
        "triggered_by_details": json.dumps(actor),
        "impacted_resource_details": json.dumps(resource),
        "metadata": json.dumps(alert.get("metadata") or {}),
        "raw_event_data": json.dumps(alert.get("raw_event_data") or {}),
    }


class Store:
    def __init__(self, env):
        # Not quoted, as in the real program: libpq parses the variables' contents.
        self.conninfo = f"host={env.PG_HOST} port={env.PG_PORT} dbname={env.PG_DB} user={env.PG_USER} password={env.PG_PASSWORD}"
        self.pool = None

    async def open(self):
        for attempt in range(1, TRIES + 1):
            pool = AsyncConnectionPool(self.conninfo, min_size=1, max_size=10, timeout=TRY_SECONDS, open=False)
            try:
                await pool.open()
                for statement in [TABLE, *INDEXES]:
                    try:
                        async with pool.connection() as connection:
                            await connection.execute(statement)
                    except UniqueViolation:
                        logging.info("another pod created the table at the same time: %s", statement.split("(")[0].strip())
                self.pool = pool
                logging.info("database ready")
                return
            except (Exception, asyncio.CancelledError) as error:
                await pool.close()
                if not isinstance(error, OperationalError):
                    raise
                logging.error("attempt %s of %s: database unreachable: %s", attempt, TRIES, error)
        raise ConnectionError("the database is unreachable")

    async def insert(self, alert):
        """Returns whether the alert is stored. A lost connection closes the pool permanently."""
        if not self.pool:
            return False
        columns = row(alert)
        statement = (
            f"INSERT INTO alerts ({', '.join(columns)}) VALUES ({', '.join(f'%({name})s' for name in columns)}) "
            "ON CONFLICT (alert_id) DO NOTHING"
        )
        try:
            async with self.pool.connection() as connection:
                await connection.execute(statement, columns)
            return True
        except OperationalError as error:
            if self.pool:
                logging.error("database connection lost, the pool is closed: %s", error)
                pool, self.pool = self.pool, None
                await pool.close()
        except Error as error:
            logging.error("alert %s not stored: %s", columns["alert_id"], error)
        return False

    async def select(self, rest, **parameters):
        if not self.pool:
            return []
        async with self.pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            return await (await cursor.execute(f"SELECT * FROM alerts {rest}", parameters)).fetchall()

    async def close(self):
        if self.pool:
            await self.pool.close(timeout=2)


class Consumer:
    """Connects once; never reopens a lost connection."""

    def __init__(self, env, store):
        self.env, self.store, self.tasks, self.connection = env, store, set(), None

    async def start(self):
        env, loop = self.env, asyncio.get_running_loop()
        tried = loop.create_future()

        def opened(connection):
            connection.channel(on_open_callback=declare)

        def declare(channel):
            channel.add_on_close_callback(lambda _, reason: logging.error("channel closed: %s", reason))
            channel.queue_declare(env.RABBITMQ_ALERT_QUEUE, durable=True, callback=lambda _: consume(channel))

        def consume(channel):
            channel.basic_consume(env.RABBITMQ_ALERT_QUEUE, receive)
            logging.info("consuming %s", env.RABBITMQ_ALERT_QUEUE)
            tried.set_result(True)

        def receive(channel, method, _properties, body):
            task = loop.create_task(self.handle(channel, method.delivery_tag, body))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

        def failed(_, error):
            logging.error("no broker at %s:%s, nothing will be consumed: %r", env.RABBITMQ_HOST, env.RABBITMQ_PORT, error)
            tried.set_result(False)

        self.connection = AsyncioConnection(
            pika.ConnectionParameters(
                host=env.RABBITMQ_HOST,
                port=env.RABBITMQ_PORT,
                virtual_host="/",
                heartbeat=HEARTBEAT_SECONDS,
                credentials=pika.PlainCredentials(env.RABBITMQ_USER, env.RABBITMQ_PASS),
            ),
            on_open_callback=opened,
            on_open_error_callback=failed,
            custom_ioloop=loop,
            on_close_callback=lambda _, reason: logging.error("broker connection lost, nothing will be consumed: %s", reason),
        )
        await tried  # never returns if the broker refuses the queue; the API then does not start

    async def close(self):
        if self.connection and self.connection.is_open:
            self.connection.close()
            await asyncio.sleep(0.1)  # let the broker answer

    async def handle(self, channel, tag, body):
        try:
            stored = await self.store.insert(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            logging.error("not an alert, rejected without requeue: %r: %r", error, body[:200])
            if channel.is_open:
                channel.basic_nack(tag, requeue=False)
            return
        if channel.is_open:
            channel.basic_ack(tag) if stored else channel.basic_nack(tag, requeue=True)


def api(store, loop):
    def select(rest, **parameters):
        return asyncio.run_coroutine_threadsafe(store.select(rest, **parameters), loop).result()

    def answer(method, path, query, _body):
        if method != "GET":
            return None
        if path == "/healthz":
            return 200, {"status": "healthy", "service": "notification-service-api"}
        try:
            if path == "/alerts":
                try:
                    limit, offset = (int(query[name]) if name in query else None for name in ("limit", "offset"))
                except ValueError:
                    return 400, {"error": "limit and offset are whole numbers"}
                if (limit is not None and limit <= 0) or (offset is not None and offset < 0):
                    return 400, {"error": "limit is positive, offset is not negative"}
                return 200, select(
                    "ORDER BY timestamp DESC, received_at DESC, alert_id LIMIT %(limit)s OFFSET %(offset)s", limit=limit, offset=offset or 0
                )
            if path.startswith("/alerts/"):
                found = select("WHERE alert_id::text = %(id)s", id=path.removeprefix("/alerts/"))
                return (200, found[0]) if found else (404, {"message": "Alert not found"})
        except Error as error:
            return 500, {"error": "Failed to retrieve alerts", "details": str(error)}

    return answer


async def main(env):
    loop, this = asyncio.get_running_loop(), asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, this.cancel)
    store = Store(env)
    consumer = Consumer(env, store)
    try:
        await store.open()  # before the broker connection and before the HTTP server
        await consumer.start()
        serve(env.API_HOST, env.API_PORT, api(store, loop))
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        logging.info("stopping")
    finally:
        await consumer.close()
        await store.close()


def run():
    env = settings(
        RABBITMQ_HOST=str,
        RABBITMQ_PORT=int,
        RABBITMQ_USER=str,
        RABBITMQ_PASS=str,
        RABBITMQ_ALERT_QUEUE=str,
        PG_HOST=str,
        PG_PORT=int,
        PG_DB=str,
        PG_USER=str,
        PG_PASSWORD=str,
        SERVICE_NAME=str,
        ENVIRONMENT=str,
        LOG_LEVEL=str,
        API_HOST=str,
        API_PORT=int,
    )
    log_to_stdout(env.LOG_LEVEL)
    logging.info("%s starts in %s", env.SERVICE_NAME, env.ENVIRONMENT)
    try:
        asyncio.run(main(env))
    except ConnectionError as error:
        sys.exit(f"cannot start: {error}")


if __name__ == "__main__":
    run()
