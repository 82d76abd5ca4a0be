"""Waits for a program's logins, and judges the program by the connections that it holds.

    connections.py wait SERVER…         until every login works; for ever
    connections.py connected SERVER…    succeeds while the program holds a connection to every server
    connections.py alive SERVER…        fails when a server accepts connections and the program holds none to it

A SERVER is SCHEME=HOST,PORT[,USER,PASSWORD[,DATABASE]], each the name of the variable that holds it. Schemes: amqp, postgresql, redis;
with +libpq behind it when the password's variable holds a value of a libpq connection string. Python 3.8 or later, standard library only.

What it cannot see: a connection of which the other end is gone without a word, until the program's own heartbeat ends it; and a channel
that was closed on a connection that is still open.
"""

import base64
import collections
import hashlib
import hmac
import os
import re
import secrets
import socket
import stringprep
import struct
import sys
import time
import unicodedata

PATIENCE = 4  # seconds for one answer: below the time limits of the probes
ESTABLISHED = "01"


class Server:
    """A server that the program needs, and the login that it has there."""

    def __init__(self, argument):
        scheme, _, names = argument.partition("=")
        self.scheme, _, encoding = scheme.partition("+")
        values = [os.environ[name] for name in names.split(",")]
        self.host, self.port = values[0], int(values[1])
        self.user, self.password, self.database = (values[2:] + ["", "", ""])[:3]
        if encoding == "libpq":
            self.password = re.sub(r"\\(.)", r"\1", self.password[1:-1], flags=re.DOTALL)

    def __str__(self):
        return f"{self.scheme}://{self.user}@{self.host}:{self.port}/{self.database}"

    def connect(self):
        return socket.create_connection((self.host, self.port), timeout=PATIENCE)

    def accepts(self):
        """Whether somebody listens; leaves no connection behind that could be taken for the program's."""
        try:
            with self.connect() as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return True
        except OSError:
            return False

    def log_in(self):
        """Returns when the login works, and raises OSError or Refused otherwise."""
        with self.connect() as connection:
            {"amqp": amqp, "postgresql": postgresql, "redis": redis}[self.scheme](connection, self)


class Refused(Exception):
    """The server answered, and the answer is no."""


def main(verb, arguments):
    servers = [Server(argument) for argument in arguments]
    if verb == "wait":
        return wait(servers)
    lacking = not_connected(servers)
    if verb == "alive":
        lacking = [server for server in lacking if server.accepts()]
    for server in lacking:
        print(f"no connection to {server}" + (", which accepts connections" if verb == "alive" else ""))
    return 1 if lacking else 0


def wait(servers):
    for server in servers:
        said = None
        while True:
            try:
                server.log_in()
                print(f"{server}: login works", flush=True)
                break
            except (OSError, Refused) as error:
                if str(error) != said:
                    said = str(error)
                    print(f"{server}: waiting, {said}", flush=True)
                time.sleep(1)
    return 0


def not_connected(servers):
    """The servers to which the pod holds no connection, by its own TCP tables.

    By port: behind a Service the table may show the Service's address or the pod's. Servers that share a port need as many connections.
    """
    held = collections.Counter()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(table):
            with open(table) as lines:
                for line in list(lines)[1:]:
                    _, _, remote, state = line.split()[:4]
                    if state == ESTABLISHED:
                        held[int(remote.rpartition(":")[2], 16)] += 1
    wanted = collections.Counter(server.port for server in servers)
    return [server for server in servers if held[server.port] < wanted[server.port]]


def receive(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise ConnectionError("the server closed the connection")
        data += more
    return data


# AMQP 0-9-1: the handshake up to an open virtual host.


def amqp(connection, server):
    def short(text):
        return struct.pack(">B", len(text.encode())) + text.encode()

    def long(data):
        return struct.pack(">L", len(data)) + data

    def send(method, body=b""):
        payload = struct.pack(">HH", 10, method) + body
        connection.sendall(struct.pack(">BHL", 1, 0, len(payload)) + payload + b"\xce")

    def expect(method):
        _, _, size = struct.unpack(">BHL", receive(connection, 7))
        payload = receive(connection, size + 1)
        _, got = struct.unpack(">HH", payload[:4])
        if got == 50:  # connection.close, with a code and a text
            code, length = struct.unpack(">HB", payload[4:7])
            raise Refused(f"{code} {payload[7:7 + length].decode(errors='replace')}")
        if got != method:
            raise Refused(f"unexpected method {got}")
        return payload[4:-1]

    connection.sendall(b"AMQP\x00\x00\x09\x01")
    expect(10)  # start
    # With this capability the broker says why it refuses, instead of closing the connection.
    capability = short("capabilities") + b"F" + long(short("authentication_failure_close") + b"t\x01")
    response = f"\0{server.user}\0{server.password}".encode()
    send(11, long(capability) + short("PLAIN") + long(response) + short("en_US"))
    channels, frame, _ = struct.unpack(">HLH", expect(30)[:8])  # tune
    send(31, struct.pack(">HLH", channels, frame, 0))
    send(40, short("/") + short("") + b"\x00")
    expect(41)  # open-ok
    send(50, struct.pack(">H", 200) + short("bye") + struct.pack(">HH", 0, 0))
    expect(51)


# PostgreSQL's protocol 3.0: the start up to "ready for query".


def postgresql(connection, server):
    def send(kind, body):
        connection.sendall(kind + struct.pack(">L", len(body) + 4) + body)

    def read():
        kind, size = struct.unpack(">cL", receive(connection, 5))
        body = receive(connection, size - 4)
        if kind == b"E":
            fields = dict((field[:1], field[1:].decode(errors="replace")) for field in body.split(b"\0") if field)
            raise Refused(f"{fields.get(b'C')} {fields.get(b'M')}")
        return kind, body

    pairs = ["user", server.user, "database", server.database, ""]
    send(b"", struct.pack(">L", 196608) + b"".join(part.encode() + b"\0" for part in pairs))
    scram = None
    while True:
        kind, body = read()
        if kind == b"Z":
            send(b"X", b"")
            return
        if kind != b"R":
            continue
        (step,) = struct.unpack(">L", body[:4])
        if step == 3:
            send(b"p", server.password.encode() + b"\0")
        elif step == 10:
            scram = Scram(server.password)
            first = scram.first().encode()
            send(b"p", b"SCRAM-SHA-256\0" + struct.pack(">L", len(first)) + first)
        elif step == 11:
            send(b"p", scram.final(body[4:].decode()).encode())
        elif step not in (0, 12):
            raise Refused(f"asks for authentication of kind {step}")


class Scram:
    """The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding."""

    def __init__(self, password):
        self.password = prepared(password).encode()
        self.bare = f"n=,r={secrets.token_urlsafe(18)}"

    def first(self):
        return "n,," + self.bare

    def final(self, challenge):
        parts = dict(part.split("=", 1) for part in challenge.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(parts["s"]), int(parts["i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = f"c=biws,r={parts['r']}"
        message = f"{self.bare},{challenge},{without_proof}".encode()
        signature = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature))
        return f"{without_proof},p={base64.b64encode(proof).decode()}"


def prepared(password):
    """The password as the server prepared it (SASLprep, RFC 4013); as it stands where that does not apply."""
    if password.isascii():
        return password
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c for c in password if not stringprep.in_table_b1(c)
    )
    normal = unicodedata.normalize("NFKC", mapped)
    prohibited = any(
        table(c)
        for c in normal
        for table in (
            stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4,
            stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8,
            stringprep.in_table_c9, stringprep.in_table_a1,
        )
    )
    return password if prohibited or not normal else normal


# Redis' protocol: a login when there is one, and a ping.


def redis(connection, server):
    def command(*words):
        parts = b"".join(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words)
        connection.sendall(b"*%d\r\n%s" % (len(words), parts))
        answer = b""
        while not answer.endswith(b"\r\n"):
            answer += receive(connection, 1)
        if not answer.startswith(b"+"):
            raise Refused(answer[1:].decode(errors="replace").strip())

    if server.user:
        command("AUTH", server.user, server.password)
    command("PING")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
