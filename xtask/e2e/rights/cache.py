"""Trials at Valkey: `{command, blocks}`, a command with its arguments.

Each trial has its own connection, because some commands change the connection's state. A command that `blocks` and does not answer
counts as allowed.
"""

import socket

from outcome import allowed, error, refused

# Valkey's refusals: NOAUTH and WRONGPASS without a valid login, EXECABORT for a transaction with a forbidden command.
REFUSALS = ("NOPERM", "NOAUTH", "WRONGPASS", "EXECABORT Transaction discarded because of: NOPERM")
# MODULE and DEBUG are disabled for every user by the server's settings, whatever the ACL says.
SWITCHED_OFF = ("ERR MODULE command not allowed.", "ERR DEBUG command not allowed.")
# Errors that Valkey reports before it checks rights, or while it cannot check them.
UNDECIDED = ("ERR unknown command", "ERR unknown subcommand", "ERR wrong number of arguments", "LOADING")


def words(command):
    """Encodes a command in the RESP protocol."""
    parts = [part.encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def classify(line):
    """The outcome that the first line of an answer stands for."""
    if line[:1] != "-":
        return allowed(line[:80])
    text = line[1:]
    if text.startswith(REFUSALS + SWITCHED_OFF):
        return refused(text)
    return error(text) if text.startswith(UNDECIDED) else allowed(text)


class Cache:
    def __init__(self, host, port, user, password):
        self.host, self.port, self.own = host, port, None if user is None else (user, password)

    def attempt(self, trial):
        login = self.own if trial["as"] is None else None if trial["as"] == "anonymous" else trial["as"]
        with socket.create_connection((self.host, self.port), 5) as connection:
            connection.settimeout(2 if trial.get("blocks") else 10)
            answers = connection.makefile("rb")
            if login is not None:
                outcome = classify(self.asked(connection, answers, ["auth", *login]))
                if outcome["outcome"] != "allowed":
                    return outcome
                # Any other answer than +OK to AUTH is not a login.
                if outcome["detail"] != "+OK":
                    return error(outcome["detail"])
            try:
                return classify(self.asked(connection, answers, trial["command"]))
            except TimeoutError:
                return allowed("it waits") if trial.get("blocks") else error("no answer")

    @staticmethod
    def asked(connection, answers, command):
        connection.sendall(words(command))
        line = answers.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection without an answer")
        return line.decode(errors="replace").rstrip()

    def close(self):
        pass
