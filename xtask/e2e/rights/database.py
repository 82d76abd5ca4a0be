"""Trials at PostgreSQL: `{database, statements}`.

The statements run one after the other in one connection; the first failure decides. An empty list tests the connection alone. As
"anonymous", the probe sends the service's role without a password.
"""

import socket
import struct

import pg8000.native
from outcome import allowed, error, refused
from pg8000.exceptions import DatabaseError

INSUFFICIENT_PRIVILEGE = "42501"
INVALID_AUTHORIZATION = "28"  # the error class: wrong password, role without LOGIN, no entry in pg_hba.conf
PROTOCOL = 196608  # 3.0


def classify(code, text):
    detail = f"{code} {text}"
    return refused(detail) if code == INSUFFICIENT_PRIVILEGE or code.startswith(INVALID_AUTHORIZATION) else error(detail)


def exactly(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionError("the server closed the connection")
        data += part
    return data


class Database:
    def __init__(self, host, port, user, password):
        self.host, self.port, self.user, self.password, self.open = host, port, user, password, {}

    def attempt(self, trial):
        login, database = trial["as"], trial["database"]
        if login == "anonymous":
            return self.without_password(self.user, database)
        user, password = login or (self.user, self.password)
        if password == "":
            return self.without_password(user, database)
        try:
            connection = self.connected(user, password, database)
            for statement in trial["statements"]:
                connection.run(statement)
        except DatabaseError as reason:
            fields = reason.args[0]
            return classify(fields["C"], fields["M"]) if isinstance(fields, dict) else error(str(reason))
        return allowed()

    def connected(self, user, password, database):
        key = (user, password, database)
        if key not in self.open:
            self.open[key] = pg8000.native.Connection(
                user, host=self.host, port=self.port, database=database, password=password, timeout=10
            )
        return self.open[key]

    def without_password(self, user, database):
        """Sends a user name without a password over the raw protocol, because client libraries refuse to connect without one."""
        words = b"\0".join(text.encode() for text in ("user", user, "database", database)) + b"\0\0"
        with socket.create_connection((self.host, self.port), 5) as connection:
            connection.sendall(struct.pack("!II", len(words) + 8, PROTOCOL) + words)
            kind, length = struct.unpack("!cI", exactly(connection, 5))
            body = exactly(connection, length - 4)
        if kind == b"R":
            (method,) = struct.unpack("!I", body[:4])
            return refused(f"the server asks for a password (method {method})") if method else allowed("the server asks for no password")
        if kind == b"E":
            fields = {field[:1]: field[1:].decode() for field in body.split(b"\0") if field}
            return classify(fields[b"C"], fields[b"M"])
        return error(f"the server answers {kind!r} to a user name")

    def close(self):
        for connection in self.open.values():
            connection.close()
