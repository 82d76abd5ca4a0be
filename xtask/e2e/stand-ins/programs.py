"""Starts the stand-ins for the tests as a pod would: one process each, with only its own environment variables."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from local_servers import accepts, eventually

HERE = Path(__file__).resolve().parent
# With STAND_INS=web the stand-ins run on web frameworks, see ../web/web.py.
WEB = os.environ.get("STAND_INS") == "web"


class Program:
    """A running stand-in. `before` is Python code that runs first, with the program's module as `main`; tests use it to change constants."""

    def __init__(self, folder, variables, before="", prefix=()):
        paths = [str(HERE), str(folder), *([str(HERE.parent / "web")] if WEB else [])]
        load = "import web; main = web.adopt()" if WEB else "import main"
        code = f"import sys; sys.path[:0] = {paths!r}; {load}\n{before}\nmain.run()"
        self.output = tempfile.TemporaryFile("w+")  # an unread pipe would block a program with much output
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-B", "-c", code],
            env={"PATH": os.environ["PATH"]} | {k: str(v) for k, v in variables.items()},
            cwd="/",
            stdout=self.output,
            stderr=self.output,
        )

    def end(self, number=signal.SIGTERM):
        """Stops the program if it still runs; returns its exit status and output."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait(5)

    def wait(self, seconds):
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not exit within {seconds} s; its output:\n{self.read_output()}") from None
        return self.process.returncode, self.read_output()

    def read_output(self):
        self.output.seek(0)
        return self.output.read()

    def listens(self, port, seconds=15):
        eventually(f"port {port} open", seconds, lambda: self.process.poll() is not None or accepts(port))
        if self.process.poll() is not None:
            raise AssertionError(f"exited early: {self.read_output()}")

    def connections(self, port):
        """The number of TCP connections of this process to that remote port, counted as a probe in its pod does."""
        folder, inodes = f"/proc/{self.process.pid}/fd", set()
        for name in os.listdir(folder) if os.path.exists(folder) else ():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                inodes.add(os.readlink(f"{folder}/{name}").removeprefix("socket:[").removesuffix("]"))
        rows = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
        return sum(row[2].endswith(f":{port:04X}") and row[3] == "01" and row[9] in inodes for row in rows)


def http(port, path, body=None):
    """Sends a request; returns status and body, with JSON parsed."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body)
    try:
        with urllib.request.urlopen(request, timeout=15) as reply:
            status, text = reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


def metrics(port):
    """Reads all metric samples, by name with labels."""
    _, text = http(port, "/metrics")
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))}
