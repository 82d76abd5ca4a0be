"""What may this login do? Tries operations at servers with the login of a service, and says of each whether it was allowed.

  main.py                 waits until SIGTERM: a pod in which the other one is run
  main.py try <PLAN       carries out a plan (JSON on stdin), and prints one JSON document: for each target, in order, its trials' outcomes

A plan is `{"targets": [{"kind", "host", "port", "user", "password", "libpq_value", "trials": […]}]}`. Host, port, user and password are names of
variables, since that is where a service reads them; a client that cannot log in has no user and no password. A password with
`libpq_value` is written as the value of a libpq connection string, and read as one.

Each trial is of one login, `as`: null for the service's own, "nobody" for none at all, or `[user, password]`. What else stands in a trial is
told by broker.py, database.py and cache.py. An outcome is `{"outcome", "detail"}`:

  allowed   the server did it, or failed at it for another reason than rights
  refused   the server said that this login may not
  error     anything else: nobody knows whether it may
"""

import contextlib
import json
import os
import signal
import socket
import sys
import time

import broker
import cache
import database
from outcome import error

KINDS = {"amqp": broker.Broker, "sql": database.Database, "valkey": cache.Cache}
# A new pod's policies take a second to have their effect, and the name of a Service may take as long.
PATIENCE = 15


def from_libpq(text):
    """The value that libpq reads from `'it\\'s'` in a connection string."""
    if len(text) < 2 or text[0] != "'" or text[-1] != "'":
        raise ValueError("a password that libpq reads is not in single quotes")
    value, characters = "", iter(text[1:-1])
    for character in characters:
        value += next(characters) if character == "\\" else character
    return value


def connection(target, environment):
    """Host, port, user and password, as the service has them."""
    user, password = (environment[target[key]] if target.get(key) else None for key in ("user", "password"))
    if password is not None and target.get("libpq_value"):
        password = from_libpq(password)
    return environment[target["host"]], int(environment[target["port"]]), user, password


def wait_for(host, port):
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection((host, port), 3).close()
        except OSError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.5)


def tried(target, environment):
    try:
        host, port, user, password = connection(target, environment)
        wait_for(host, port)
        server = KINDS[target["kind"]](host, port, user, password)
    except Exception as reason:
        return [error(f"{type(reason).__name__}: {reason}") for _ in target["trials"]]
    outcomes = []
    for trial in target["trials"]:
        try:
            outcomes.append(server.attempt(trial))
        except Exception as reason:  # whatever it is, it is no refusal
            outcomes.append(error(f"{type(reason).__name__}: {reason}"))
    with contextlib.suppress(Exception):  # all is answered; one that is gone needs no good-bye
        server.close()
    return outcomes


def wait():
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    while True:
        signal.pause()


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            wait()
        case ["try"]:
            plan = json.load(sys.stdin)
            print(json.dumps({"targets": [tried(target, os.environ) for target in plan["targets"]]}))
        case _:
            sys.exit(__doc__)
