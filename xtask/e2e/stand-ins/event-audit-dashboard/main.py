"""Stand-in for event-audit-dashboard: a page of alerts, read from notification-service at every request.

Like the real program, it runs in gunicorn, whose worker heartbeat is a file: without a writable `/tmp` it does not start.
"""

import json
import urllib.error
import urllib.request
from html import escape
from urllib.parse import quote

from gunicorn.app.base import BaseApplication

from common import log_to_stdout, settings

PORT, LIMIT, TIMEOUT_SECONDS = 8080, 30, 10


def fetch(base, path):
    """Returns the answer of notification-service and None, or None and an error message."""
    try:
        with urllib.request.urlopen(base + path, timeout=TIMEOUT_SECONDS) as reply:
            return json.load(reply), None
    except urllib.error.HTTPError as error:
        return None, f"notification-service answered {error.code}: {error.read().decode(errors='replace')[:200]}"
    except (OSError, ValueError) as error:
        return None, f"Could not connect to Notification Service at {base}: {error}"


def page(title, error, rows):
    line = f'<div class="error"><strong>Error:</strong> {escape(error)}</div>' if error else ""
    head = f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="UTF-8"><title>{title}</title></head>'
    return f"{head}<body><h1>{title}</h1>\n{line}{rows}</body></html>\n"


def index(base):
    alerts, error = fetch(base, f"/alerts?limit={LIMIT}")
    rows = "".join(
        '<div class="alert-item"><strong>{alert_name}</strong> | {severity} | {timestamp}<p>{description}</p>'
        '<a href="/alert/{alert_id}">Details</a></div>\n'.format(**{name: escape(str(value)) for name, value in alert.items()})
        for alert in alerts or []
    )
    return page("Recent Audit Alerts", error, rows or '<p class="no-alerts">No alerts to display.</p>')


def detail(base, alert_id):
    alert, error = fetch(base, f"/alerts/{quote(alert_id, safe='')}")
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>\n" for name, value in (alert or {}).items())
    return page("Audit Alert", error, f"<table>{rows}</table>")


class Dashboard(BaseApplication):
    def __init__(self, env):
        self.base = f"http://{env.NOTIFICATION_SERVICE_HOST}:{env.NOTIFICATION_SERVICE_PORT}"
        super().__init__()

    def load_config(self):
        self.cfg.set("bind", f"0.0.0.0:{PORT}")
        self.cfg.set("workers", 1)

    def load(self):
        return self.answer

    def answer(self, environ, start_response):
        path, status, kind = environ["PATH_INFO"], "200 OK", "text/html; charset=utf-8"
        if path == "/healthz":
            kind, text = "application/json", json.dumps({"status": "healthy", "service": "event-audit-dashboard"})
        elif path == "/":
            text = index(self.base)
        elif path.startswith("/alert/"):
            text = detail(self.base, path.removeprefix("/alert/"))
        else:
            status, text = "404 Not Found", page("Not found", None, "")
        data = text.encode()
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(data)))])
        return [data]


def run():
    log_to_stdout()
    # The real program also treats the port as a string: the `tcp://…` that Kubernetes injects for a Service makes a broken URL.
    Dashboard(settings(NOTIFICATION_SERVICE_HOST=str, NOTIFICATION_SERVICE_PORT="8000")).run()


if __name__ == "__main__":
    run()
