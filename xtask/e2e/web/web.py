"""Runs a stand-in with the web frameworks of the real program: Flask, Quart on uvicorn, and requests.

The instrumentation for traces knows these frameworks. It does not know the standard library's HTTP server, which the stand-ins use otherwise.
"""

import asyncio
import json
import logging
import threading

import common


def serve(host, port, answer):
    """Keeps the contract of `common.serve`. A program with an event loop uses Quart, as the real one does, and any other Flask."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        run = flask_server(host, port, answer)
    else:
        run = quart_server(host, port, answer)
    threading.Thread(target=run, daemon=True).start()
    logging.info("HTTP on port %s", port)


def flask_server(host, port, answer):
    from flask import Flask, request
    from werkzeug.serving import make_server

    app = Flask(__name__)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # probes send a request every few seconds

    @every_path(app)
    def reply(path):
        return response(answer(request.method, request.path, request.args.to_dict(), request.get_data()))

    return make_server(host, port, app, threaded=True).serve_forever


def quart_server(host, port, answer):
    import uvicorn
    from quart import Quart, request

    app = Quart(__name__)

    @every_path(app)
    async def reply(path):
        # `answer` waits for the program's event loop, which is not the one of this thread.
        body = await request.get_data()
        return response(await asyncio.to_thread(answer, request.method, request.path, request.args.to_dict(), body))

    config = uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False)
    listening = config.bind_socket()
    return lambda: uvicorn.Server(config).run(sockets=[listening])


def every_path(app):
    """Routes the requests to every path to one function."""

    def routed(function):
        app.route("/", defaults={"path": ""}, methods=["GET", "POST"])(function)
        return app.route("/<path:path>", methods=["GET", "POST"])(function)

    return routed


def response(answered):
    """Body, status and headers for what `answer` of `common.serve` returns."""
    status, content = answered or (404, {"error": "not found"})
    if isinstance(content, bytes):
        return content, status, {"Content-Type": common.METRICS}
    return json.dumps(content, default=str), status, {"Content-Type": "application/json"}


def fetch(base, path):
    """Keeps the contract of the dashboard's `fetch`."""
    import main
    import requests

    try:
        reply = requests.get(base + path, timeout=main.TIMEOUT_SECONDS)
        if not reply.ok:
            return None, f"notification-service answered {reply.status_code}: {reply.text[:200]}"
        return reply.json(), None
    except (requests.RequestException, ValueError) as error:
        return None, f"Could not connect to Notification Service at {base}: {error}"


def load(dashboard):
    """The application that gunicorn serves: Flask in front of the stand-in's own."""
    from flask import Flask, request
    from werkzeug.wrappers import Response

    app = Flask("event-audit-dashboard")

    @every_path(app)
    def reply(path):
        return Response.from_app(dashboard.answer, request.environ)

    return app


def adopt():
    """Replaces what the stand-in serves and asks with. Its module must not be loaded before; returns it."""
    common.serve = serve
    import main

    if hasattr(main, "Dashboard"):
        main.fetch, main.Dashboard.load = fetch, load
    return main


if __name__ == "__main__":
    adopt().run()
