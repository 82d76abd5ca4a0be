"""What the automatic instrumentation of OpenTelemetry lacks: spans for the requests of Quart and for the messages that a program
consumes from an asynchronous channel of pika. Without them, a trace ends at such a program, and what the program does begins another one.

The instrumentation calls `instrument` in every Python program when it starts (entry point `opentelemetry_post_instrument`).
"""

import contextlib
import importlib.util
import logging

import wrapt


def instrument():
    if importlib.util.find_spec("quart"):
        wrapt.wrap_function_wrapper("quart.app", "Quart.__init__", create_app)
    if importlib.util.find_spec("pika"):
        wrapt.wrap_function_wrapper("pika.channel", "Channel.basic_consume", basic_consume)


def create_app(wrapped, app, args, kwargs):
    wrapped(*args, **kwargs)
    with untraced_if_it_fails("the requests of Quart"):
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
        from opentelemetry.util.http import get_excluded_urls

        # One span for a request, without those of the ASGI messages in it.
        excluded = get_excluded_urls("QUART")
        app.asgi_app = OpenTelemetryMiddleware(app.asgi_app, excluded_urls=excluded, exclude_spans=["receive", "send"])


def basic_consume(wrapped, channel, args, kwargs):
    with untraced_if_it_fails("the messages of an asynchronous channel of pika"):
        args, kwargs = with_traced_callback(list(args), dict(kwargs))
    return wrapped(*args, **kwargs)


def with_traced_callback(args, kwargs):
    from opentelemetry import trace
    from opentelemetry.instrumentation.pika import utils
    from pika.adapters.blocking_connection import BlockingChannel

    callback = kwargs["on_message_callback"] if "on_message_callback" in kwargs else args[1]
    # A blocking channel consumes through one of these, and is instrumented already.
    if not isinstance(getattr(callback, "__self__", None), BlockingChannel):
        callback = utils._decorate_callback(callback, trace.get_tracer(__name__), "consume")
    if "on_message_callback" in kwargs:
        kwargs["on_message_callback"] = callback
    else:
        args[1] = callback
    return args, kwargs


@contextlib.contextmanager
def untraced_if_it_fails(what):
    """Other versions of the libraries can differ. Then spans are missing, and the program works."""
    try:
        yield
    except Exception:
        logging.getLogger(__name__).warning("No spans for %s", what, exc_info=True)
