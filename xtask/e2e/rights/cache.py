"""Trials at Valkey: `{command, blocks}`, a command with its arguments. Each has a connection of its own, since some commands change what
a connection is for; a command that `blocks` and does not answer was taken.
"""

import socket

from outcome import allowed, error, refused

# What Valkey says of rights; NOAUTH and WRONGPASS to those who have not logged in, EXECABORT where a transaction may not be ended.
REFUSALS = ("NOPERM", "NOAUTH", "WRONGPASS", "EXECABORT Transaction discarded because of: NOPERM")
# MODULE and DEBUG are nobody's, whatever the ACL says, where the server's settings do not allow them.
SWITCHED_OFF = ("ERR MODULE command not allowed.", "ERR DEBUG command not allowed.")
# It looks at these before it looks at rights, or cannot look at them now.
UNDECIDED = ("ERR unknown command", "ERR unknown subcommand", "ERR wrong number of arguments", "LOADING")


def words(command):
    """A command as the protocol has it."""
    parts = [part.encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def judged(line):
    """What the first line of an answer says of rights."""
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
        login = self.own if trial["as"] is None else None if trial["as"] == "nobody" else trial["as"]
        with socket.create_connection((self.host, self.port), 5) as connection:
            connection.settimeout(2 if trial.get("blocks") else 10)
            answers = connection.makefile("rb")
            if login is not None:
                outcome = judged(self.asked(connection, answers, ["auth", *login]))
                if outcome["outcome"] != "allowed":
                    return outcome
                # An answer of the server's to a login that is no refusal is no login either.
                if outcome["detail"] != "+OK":
                    return error(outcome["detail"])
            try:
                return judged(self.asked(connection, answers, trial["command"]))
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
