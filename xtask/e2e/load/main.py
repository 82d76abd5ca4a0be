"""Load client for the end-to-end scenarios, and the check that no confirmed event is lost.

  main.py                     publishes events with publisher confirms until LOAD_COUNT is reached, LOAD_SECONDS are over or
                              SIGTERM arrives. Prints one JSON line per event on stdout (the ledger); the last line is a summary.
  main.py check [LEDGER]      reports the confirmed events of the ledger (a file, or stdin) that must raise an alert but have no row.
                              Reads the rows from ALERTS_URL, or with ROWS=FILE one correlation ID per line (from psql).
                              Exits with 1 if a row is missing, 2 if the ledger or the rows cannot be read.

An unconfirmed event is published again with the same ID until the broker confirms it. Every line with `confirmed_at` is therefore an
event that the broker has stored. `check` skips ledger lines that are not JSON, such as other lines of a container's log.

| variable | default | meaning |
|---|---|---|
| AMQP_HOST, AMQP_USER, AMQP_PASSWORD | required | publishing |
| AMQP_PORT, AMQP_QUEUE | 5672, audit_events | publishing |
| LOAD_RATE | 10 | events per second |
| LOAD_COUNT, LOAD_SECONDS | 0: no limit | events, and seconds from the first connection |
| LOAD_ALERT_EVERY | 1 | every n-th event raises an alert |
| LOAD_USER | load | the events' `user_id` |
| ALERTS_URL | http://notification-service:8000 | check |
| CHECK_SECONDS | 0 | check: seconds to wait for missing rows |
"""

import json
import os
import signal
import sys
import threading
import time
import urllib.request
import uuid
from datetime import datetime, timezone

PAGE = 500


def setting(name, default=None):
    text = os.environ.get(name, default)
    if text is None:
        sys.exit(f"cannot start: {name} is not set")
    return text if default is None or isinstance(default, str) else type(default)(text)


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def say(line):
    print(json.dumps(line), flush=True)


def event(number, alert_every, user):
    """Returns whether the event raises an alert, and the event. Each such event raises exactly one alert."""
    alerts = number % alert_every == 0
    return alerts, {
        "event_id": str(uuid.uuid4()),
        "timestamp": now(),
        "source_service": "load",
        "server_hostname": "load-1",
        "event_type": "file_modified" if alerts else "sudo_command",
        "severity": "CRITICAL" if alerts else "INFO",
        "user_id": user,
        "action_result": "MODIFIED" if alerts else "SUCCESS",
        "details": {"number": number},
        **({"resource": "/etc/shadow"} if alerts else {}),
    }


class Broker:
    """A channel with publisher confirms, reopened whenever it is lost."""

    def __init__(self, stop):
        import pika  # only publishing needs it

        self.pika, self.stop, self.channel, self.connection, self.reconnects = pika, stop, None, None, -1
        self.queue = setting("AMQP_QUEUE", "audit_events")
        self.parameters = pika.ConnectionParameters(
            host=setting("AMQP_HOST"),
            port=setting("AMQP_PORT", 5672),
            heartbeat=60,
            socket_timeout=5,
            stack_timeout=10,
            blocked_connection_timeout=30,
            credentials=pika.PlainCredentials(setting("AMQP_USER"), setting("AMQP_PASSWORD")),
        )

    def connect(self):
        """Opens the channel, unless it is open. Raises the client library's error or OSError."""
        if self.channel is None:
            self.connection = self.pika.BlockingConnection(self.parameters)
            channel = self.connection.channel()
            channel.confirm_delivery()
            self.channel = channel
            self.reconnects += 1

    def first_connect(self):
        """Connects, however many attempts it takes: a new pod's traffic is refused until the node has applied the policies to it."""
        while not self.stop.is_set():
            try:
                return self.connect()
            except (self.pika.exceptions.AMQPError, OSError) as error:
                print(f"not connected, retrying in a second: {error!r}", file=sys.stderr, flush=True)
                self.close()
            self.stop.wait(1)

    def publish(self, body):
        """Publishes until the broker confirms. Returns the number of attempts, or None if stopped first."""
        tries = 0
        while not self.stop.is_set():
            tries += 1
            try:
                self.connect()
                # Mandatory, because the broker also confirms messages that it cannot route.
                self.channel.basic_publish("", self.queue, body, self.pika.BasicProperties(delivery_mode=2), mandatory=True)
                return tries
            except (self.pika.exceptions.UnroutableError, self.pika.exceptions.NackError) as error:
                complaint = error  # the queue does not exist yet, or the broker refused: the channel stays usable
            except (self.pika.exceptions.AMQPError, OSError) as error:
                complaint = error
                self.close()
            print(f"not confirmed at {now()}, retrying in a second: {complaint!r}", file=sys.stderr, flush=True)
            self.stop.wait(1)

    def close(self):
        try:
            if self.connection and self.connection.is_open:
                self.connection.close()
        except Exception:
            pass  # the connection was lost meanwhile
        self.connection = self.channel = None


def publish():
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    count, seconds, rate = setting("LOAD_COUNT", 0), setting("LOAD_SECONDS", 0.0), setting("LOAD_RATE", 10.0)
    alert_every, user = setting("LOAD_ALERT_EVERY", 1), setting("LOAD_USER", "load")
    broker = Broker(stop)
    broker.first_connect()
    began = due = time.monotonic()
    number, confirmed, expected, slowest = 0, 0, 0, 0.0
    while not stop.is_set() and (not count or number < count) and (not seconds or time.monotonic() - began < seconds):
        alerts, content = event(number, alert_every, user)
        number += 1
        asked = time.monotonic()
        tries = broker.publish(json.dumps(content))
        took = time.monotonic() - asked
        say(
            {
                "event_id": content["event_id"],
                "correlation_id": content["event_id"] if alerts else None,
                "confirmed_at": now() if tries else None,
                "tries": tries,
                "seconds": round(took, 3),
            }
        )
        if tries:
            confirmed, expected, slowest = confirmed + 1, expected + alerts, max(slowest, took)
        # After an outage the rate continues; events that were due during the outage are skipped.
        due = max(due + 1 / rate, time.monotonic() - 1 / rate)
        stop.wait(max(0.0, due - time.monotonic()))
    broker.close()
    say(
        {
            "summary": {
                "published": number,
                "confirmed": confirmed,
                "alerts_expected": expected,
                "reconnects": max(broker.reconnects, 0),
                "slowest_confirm_seconds": round(slowest, 3),
                "seconds": round(time.monotonic() - began, 1),
            }
        }
    )


def ledger(lines):
    for line in lines:
        try:
            entry = json.loads(line[line.index("{") :])
        except ValueError:
            continue
        if isinstance(entry, dict) and "event_id" in entry and "confirmed_at" in entry:
            yield entry


def stored(found):
    """Adds the stored alerts to `found` (alert ID → correlation ID), newest first."""
    rows = os.environ.get("ROWS")
    if rows:
        with open(rows) as file:
            found.update(enumerate(line.strip() for line in file))
        return
    url, offset = setting("ALERTS_URL", "http://notification-service:8000").rstrip("/"), 0
    while True:
        with urllib.request.urlopen(f"{url}/alerts?limit={PAGE}&offset={offset}", timeout=30) as reply:
            alerts = json.load(reply)
        found.update((alert["alert_id"], alert["correlation_id"]) for alert in alerts)
        # New rows move others to later pages: some rows are read twice, none is missed.
        offset += len(alerts)
        if len(alerts) < PAGE:
            return


def check(path):
    entries = list(ledger(sys.stdin if path is None else open(path)))
    if not entries:
        print("the ledger has no lines", file=sys.stderr)
        return 2
    expected = {entry["correlation_id"] for entry in entries if entry["confirmed_at"] and entry["correlation_id"]}
    until, found, complaint = time.monotonic() + setting("CHECK_SECONDS", 0.0), {}, None
    while True:
        try:
            stored(found)
            complaint = None
        except (OSError, ValueError) as error:
            complaint = f"rows cannot be read: {error}"
        missing = expected - set(found.values())
        if not (missing or complaint) or time.monotonic() >= until:
            break
        time.sleep(1)
    seen = [correlation for correlation in found.values() if correlation in expected]
    say(
        {
            "confirmed": sum(bool(entry["confirmed_at"]) for entry in entries),
            "alerts_expected": len(expected),
            "alerts_found": len(set(seen)),
            "raised_twice": len(seen) - len(set(seen)),
            "unconfirmed": sum(not entry["confirmed_at"] for entry in entries),
            "missing": sorted(missing),
            "complaint": complaint,
        }
    )
    return 2 if complaint else 1 if missing else 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            publish()
        case ["check", *rest] if len(rest) <= 1:
            sys.exit(check(*rest or [None]))
        case _:
            sys.exit(__doc__)
