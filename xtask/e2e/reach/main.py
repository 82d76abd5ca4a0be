"""Reach probe: tests which TCP ports are reachable from its pod.

  main.py [OPTIONS] [HOST:PORT[=open|=closed]]…   prints one JSON line per target, in order. Reads targets from stdin if none is given.
                                                  Retries until the target is as wanted, by default open. Exits with 1 if a
                                                  target is not as wanted.
  main.py listen PORT…                            listens on the ports until SIGTERM and closes each connection at once, so that
                                                  a closed port must be the effect of a policy.

  --timeout 2   seconds per attempt       --tries 5   attempts      --pause 1   seconds between attempts

The result is `open`, `refused`, `timeout`, `unreachable` (such as a Service without ready pods), `unresolved` (DNS failed, it may be
closed) or `error`. Every result except `open` counts as closed. Retries are needed because a policy change takes effect within about
a second.
"""

import argparse
import errno
import json
import select
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor


def attempt(host, port, timeout):
    try:
        with socket.create_connection((host, port), timeout):
            return "open", None
    except socket.gaierror as error:
        return "unresolved", str(error)
    except TimeoutError as error:
        return "timeout", str(error)
    except OSError as error:
        return {errno.ECONNREFUSED: "refused", errno.EHOSTUNREACH: "unreachable"}.get(error.errno, "error"), str(error)


def reach(target, options):
    address, _, wanted = target.partition("=")
    host, _, port = address.rpartition(":")
    for number in range(1, options.tries + 1):
        result, detail = attempt(host.strip("[]"), int(port), options.timeout)
        as_wanted = (result == "open") == (wanted != "closed")
        if as_wanted or number == options.tries:
            break
        time.sleep(options.pause)
    return {"target": address, "result": result, "wanted": wanted or None, "as_wanted": as_wanted, "tries": number, "detail": detail}


def check(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timeout", type=float, default=2)
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--pause", type=float, default=1)
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args(arguments)
    targets = options.targets or sys.stdin.read().split()
    for target in targets:
        address, _, wanted = target.partition("=")
        if wanted not in ("", "open", "closed") or not address.rpartition(":")[0] or not address.rpartition(":")[2].isdigit():
            parser.error(f"not a target: {target!r}")
    with ThreadPoolExecutor(max_workers=max(1, min(64, len(targets)))) as pool:
        results = list(pool.map(lambda target: reach(target, options), targets))
    for result in results:
        print(json.dumps(result), flush=True)
    return 0 if all(result["as_wanted"] for result in results) else 1


def listen(ports):
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    sockets = [socket.create_server(("", int(port)), backlog=64) for port in ports]
    print(json.dumps({"listening": [opened.getsockname()[1] for opened in sockets]}), flush=True)
    while True:
        for ready in select.select(sockets, [], [])[0]:
            ready.accept()[0].close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["listen"]:
        listen(sys.argv[2:])
    else:
        sys.exit(check(sys.argv[1:]))
