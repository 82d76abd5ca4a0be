"""Trials at RabbitMQ. `do` is one of:

  connect                      | get, consume, purge, delete, declare, look {queue}     | bind {queue, exchange}
  publish {exchange, key}      | declare-exchange, delete-exchange {exchange}           | http {port, path}

`get` and `consume` return the message to its queue. `look` is a passive declaration.
"""

import base64
import urllib.error
import urllib.request

import pika
import pika.exceptions as failures
from outcome import allowed, error, refused

BODY = b"rights"
ACCESS_REFUSED, NOT_FOUND, NOT_ALLOWED = 403, 404, 530


class Anonymous:
    """The ANONYMOUS mechanism, which brokers from version 4 on offer by default."""

    TYPE = "ANONYMOUS"
    erase_on_connect = False

    def response_for(self, start):
        mechanisms = start.mechanisms.split() if isinstance(start.mechanisms, str) else start.mechanisms.decode().split()
        return (self.TYPE, b"") if self.TYPE in mechanisms else (None, None)

    def erase_credentials(self):
        pass


if Anonymous not in pika.credentials.VALID_TYPES:
    pika.credentials.VALID_TYPES.append(Anonymous)


class Broker:
    def __init__(self, host, port, user, password):
        self.host, self.port, self.own, self.open = host, port, (user, password), {}

    def attempt(self, trial):
        login = self.own if trial["as"] is None else None if trial["as"] == "anonymous" else tuple(trial["as"])
        return self.http(login, trial) if trial["do"] == "http" else self.amqp(login, trial)

    def amqp(self, login, trial):
        try:
            connection = self.connected(login)
        except failures.AuthenticationError as reason:
            # Also raised if the broker offers no anonymous mechanism.
            return refused(f"{type(reason).__name__}: {reason}")
        except (failures.ProbableAuthenticationError, failures.ProbableAccessDeniedError) as reason:
            return refused(f"{type(reason).__name__}: {reason}")
        except failures.ConnectionClosedByBroker as reason:
            return self.classify(reason)
        if trial["do"] == "connect":
            return allowed()
        try:
            channel = connection.channel()
            detail = self.carried_out(channel, trial)
            channel.close()
            return allowed(detail)
        except (failures.ChannelClosedByBroker, failures.ConnectionClosedByBroker) as reason:
            return self.classify(reason)

    def connected(self, login):
        if login not in self.open or not self.open[login].is_open:
            credentials = Anonymous() if login is None else pika.PlainCredentials(*login)
            self.open[login] = pika.BlockingConnection(
                pika.ConnectionParameters(
                    self.host, self.port, credentials=credentials, socket_timeout=5, stack_timeout=10, blocked_connection_timeout=10
                )
            )
        return self.open[login]

    @staticmethod
    def classify(reason):
        detail = f"{reason.reply_code} {reason.reply_text}"
        if reason.reply_code in (ACCESS_REFUSED, NOT_ALLOWED):
            return refused(detail)
        # The broker checks rights before existence, so "not found" means that the right was granted.
        return allowed(detail) if reason.reply_code == NOT_FOUND else error(detail)

    @staticmethod
    def carried_out(channel, trial):
        queue, exchange = trial.get("queue"), trial.get("exchange")
        match trial["do"]:
            case "declare":
                channel.queue_declare(queue, durable=True)
            case "look":
                channel.queue_declare(queue, passive=True)
            case "get":
                method, _, _ = channel.basic_get(queue)
                if method:
                    channel.basic_nack(method.delivery_tag, requeue=True)
            case "consume":
                channel.basic_qos(prefetch_count=1)
                channel.basic_cancel(channel.basic_consume(queue, lambda *_: None))
            case "purge":
                channel.queue_purge(queue)
            case "delete":
                channel.queue_delete(queue)
            case "bind":
                channel.queue_bind(queue, exchange, "rights")
            case "declare-exchange":
                channel.exchange_declare(exchange, "direct", durable=True)
            case "delete-exchange":
                channel.exchange_delete(exchange)
            case "publish":
                channel.confirm_delivery()
                try:
                    channel.basic_publish(exchange, trial["key"], BODY, mandatory=True)
                except failures.UnroutableError:
                    return "confirmed, and in no queue"  # none is bound: it was taken nevertheless
            case other:
                raise ValueError(f"the broker has no trial {other!r}")
        return ""

    def http(self, login, trial):
        request = urllib.request.Request(f"http://{self.host}:{trial['port']}{trial['path']}")
        if login is not None:
            request.add_header("Authorization", "Basic " + base64.b64encode(":".join(login).encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return allowed(f"HTTP {reply.status}")
        except urllib.error.HTTPError as reason:
            return (refused if reason.code in (401, 403) else error)(f"HTTP {reason.code}")

    def close(self):
        for connection in self.open.values():
            if connection.is_open:
                connection.close()
