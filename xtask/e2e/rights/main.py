"""Rights probe: tries operations at servers with a service's login and reports whether each was allowed.

  main.py                 waits until SIGTERM: the main process of the pod that `main.py try` is executed in
  main.py try <PLAN       executes a plan (JSON on stdin) and prints one JSON document: the outcomes of each target's trials, in order

A plan is `{"targets": [{"kind", "host", "port", "user", "password", "libpq_value", "trials": […]}]}`. Host, port, user and password are the
names of the service's environment variables; a client without a login has no user and no password. A password with `libpq_value` is
quoted as a value of a libpq connection string and is unquoted.

`as` selects a trial's login: null for the service's own, "anonymous" for none, or `[user, password]`. broker.py, database.py and cache.py
document the other keys of a trial. An outcome is `{"outcome", "detail"}`:

  allowed   the server did it, or failed for another reason than missing rights
  refused   the server refused it for missing rights or a failed login
  error     anything else: undecided
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
# Seconds to wait for a server: a new pod's policies and the DNS name of a Service take about a second.
PATIENCE = 15


def from_libpq(text):
    """Unquotes a value of a libpq connection string, such as `'it\\'s'`."""
    if len(text) < 2 or text[0] != "'" or text[-1] != "'":
        raise ValueError("a password for a libpq connection string must be in single quotes")
    value, characters = "", iter(text[1:-1])
    for character in characters:
        value += next(characters) if character == "\\" else character
    return value


def connection(target, environment):
    """Host, port, user and password from the service's environment variables."""
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
        except Exception as reason:  # an unexpected error is never a refusal
            outcomes.append(error(f"{type(reason).__name__}: {reason}"))
    with contextlib.suppress(Exception):  # all trials are done, so a failure to close does not matter
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
