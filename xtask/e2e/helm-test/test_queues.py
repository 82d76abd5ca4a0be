"""What `helm test` tries at a broker: publishing and consuming."""

import contextlib
import socket
import threading
import time

from containers import CATCH_ALL, CONNECT_REMEDY, EXCHANGE, LOGIN_REMEDY, OTHER_QUEUE, PASSWORDS, QUEUE, Servers
from local_servers import eventually, free_port


class Queues(Servers):
    def queues(self, user, *words, **more):
        """The exit code and the only line of the output."""
        code, output = self.run_script("queues.py", *words, **self.amqp(user, **more))
        self.assertEqual(output.count("\n"), 1, output)
        return code, output.replace(str(self.servers.broker.port), "PORT").strip()

    def fill(self, *bodies):
        with self.channel() as channel:
            for queue in (QUEUE, OTHER_QUEUE):
                channel.queue_purge(queue)
            channel.confirm_delivery()
            for body in bodies:
                channel.basic_publish("", QUEUE, body)

    def content(self, queue=QUEUE):
        with self.channel() as channel:
            return [body for _, _, body in iter(lambda: channel.basic_get(queue, auto_ack=True), (None, None, None))]

    def test_publish(self):
        self.fill(b"one", b"two")
        self.assertEqual(self.queues("publisher", "publish", QUEUE), (0, f"publish to {QUEUE} at 127.0.0.1:PORT as publisher: ok"))
        self.assertEqual(
            self.queues("through-exchange", "publish-through", EXCHANGE, QUEUE),
            (0, f"publish to {QUEUE} through {EXCHANGE} at 127.0.0.1:PORT as through-exchange: ok"),
        )
        self.assertEqual((self.content(), self.content(OTHER_QUEUE)), ([b"one", b"two"], []))

    def test_rights_that_are_missing(self):
        self.fill(b"one")
        for user, words, object in (
            ("consumer", ("publish", QUEUE), "exchange 'amq.default'"),
            ("publisher", ("publish-through", EXCHANGE, QUEUE), f"exchange '{EXCHANGE}'"),
            ("no-configure", ("publish", QUEUE), f"queue '{QUEUE}'"),
            ("publisher", ("consume", QUEUE), f"queue '{QUEUE}'"),
        ):
            code, line = self.queues(user, *words)
            self.assertEqual(code, 1)
            self.assertRegex(line, f": FAILED: the server refuses it: 403 ACCESS_REFUSED - .*{object}.* user '{user}'")
            self.assertTrue(line.endswith(": " + LOGIN_REMEDY), line)
        self.assertEqual(self.content(), [b"one"])

    def test_an_exchange_that_is_not_direct(self):
        self.fill()
        code, line = self.queues("through-exchange", "publish-through", CATCH_ALL, QUEUE)
        self.assertEqual(code, 1)
        self.assertIn(f"FAILED: allowed, but the broker put the empty message into a queue: {CATCH_ALL} has", line)
        self.assertEqual((self.content(), self.content(OTHER_QUEUE)), ([], [b""]))

    def test_a_broker_that_takes_no_messages(self):
        self.fill(b"one")
        self.servers.broker.control("set_vm_memory_high_watermark", "0")
        try:
            code, line = self.queues("publisher", "publish", QUEUE)
        finally:
            self.servers.broker.control("set_vm_memory_high_watermark", "0.4")
        self.assertEqual(code, 1)
        self.assertIn("FAILED: logged in, but no answer within 4 s: the broker is overloaded, or short of memory or disk", line)
        self.assertEqual(self.content(), [b"one"])

    def test_consume(self):
        bodies = [b"%d" % number + b"." * size for number, size in enumerate((0, 10, 300_000, 5))]
        for first in range(len(bodies)):  # so that the large one is delivered too
            self.fill(*bodies[first:])
            self.assertEqual(self.queues("consumer", "consume", QUEUE), (0, f"consume {QUEUE} at 127.0.0.1:PORT as consumer: ok"))
            self.assertEqual(self.content(), bodies[first:])
        self.assertEqual(self.queues("consumer", "consume", QUEUE)[0], 0)  # the queue is empty now

    def test_consume_beside_a_consumer(self):
        """Messages that arrive while both consume go to the program. To show that, the end of the test's own consumer is held back."""
        self.fill()
        consuming, go_on = threading.Event(), threading.Event()

        def hold_back(data):
            if b"\x00\x3c\x00\x1e" in data:  # basic.cancel
                consuming.set()
                go_on.wait(20)
            return data

        received = []
        with self.channel() as channel:
            channel.basic_consume(QUEUE, lambda channel, method, _, body: received.append((body, method.redelivered)), auto_ack=True)
            process = self.start("queues.py", "consume", QUEUE, **self.amqp("consumer", port=self.proxy(hold_back)))
            self.assertTrue(consuming.wait(20))
            bodies = [b"%d" % number for number in range(6)]
            with self.channel() as publisher:
                for body in bodies:
                    publisher.basic_publish("", QUEUE, body)
            eventually("all messages", 3, lambda: channel.connection.process_data_events(0.1) or len(received) == len(bodies))
            go_on.set()
            self.assertEqual(self.ended(process)[0], 0)
        self.assertEqual(received, [(body, False) for body in bodies])

    def proxy(self, change):
        """The port of a proxy of the broker, which passes on what `change` makes of the client's data."""
        opened = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(opened.close)

        def pass_on(source, target, change):
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    target.sendall(change(data))
                target.shutdown(socket.SHUT_WR)

        def accept():
            client, server = opened.accept()[0], socket.create_connection(("127.0.0.1", self.servers.broker.port))
            with client, server:
                back = threading.Thread(target=pass_on, args=(server, client, lambda data: data))
                back.start()
                pass_on(client, server, change)
                back.join()

        threading.Thread(target=accept, daemon=True).start()
        return opened.getsockname()[1]

    def test_a_wrong_password(self):
        code, line = self.queues("consumer", "consume", QUEUE, password=PASSWORDS["wrong"])
        self.assertEqual(code, 1)
        self.assertIn(f"consume {QUEUE} at 127.0.0.1:PORT as consumer: FAILED: the server refuses it: 403 ACCESS_REFUSED - Login was refused", line)
        self.assertTrue(line.endswith(": " + LOGIN_REMEDY), line)

    def test_each_is_tried(self):
        words = ("publish", QUEUE, "publish-through", EXCHANGE, QUEUE, "consume", QUEUE)
        code, output = self.run_script("queues.py", *words, **self.amqp("consumer"))
        results = [line.rpartition(" as consumer: ")[2].split()[0] for line in output.splitlines()]
        self.assertEqual((code, results), (1, ["FAILED:", "FAILED:", "ok"]), output)

    def test_a_closed_port(self):
        process = self.start("queues.py", "consume", QUEUE, "publish", QUEUE, **self.amqp("consumer", port=(port := free_port())))
        began = time.monotonic()
        code, output = self.ended(process)
        self.assertTrue(18 < time.monotonic() - began < 30)
        reason = f"at 127.0.0.1:{port} as consumer: FAILED: cannot connect: Connection refused: {CONNECT_REMEDY}\n"
        self.assertEqual((code, output), (1, f"consume {QUEUE} {reason}publish to {QUEUE} {reason}"))

    def test_a_broker_that_comes_later(self):
        self.servers.broker.stop()
        process = self.start("queues.py", "consume", QUEUE, **self.amqp("consumer"))
        self.servers.broker.start()
        self.assertEqual(self.ended(process)[0], 0)

    def test_servers_that_are_no_broker(self):
        port = self.listen(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        code, line = self.queues("consumer", "consume", QUEUE, port=port)
        self.assertEqual(code, 1)
        self.assertRegex(line, ": FAILED: .*something else listens on this port|: FAILED: .*does something else listen on this port")

    def test_the_time_limit(self):
        began = time.monotonic()
        code, output = self.run_script("queues.py", "consume", QUEUE, TEST_SECONDS=2, **self.amqp("consumer", port=(port := self.listen())))
        self.assertLess(time.monotonic() - began, 6)
        self.assertEqual(
            (code, output), (1, f"FAILED: not finished within 2 s (TEST_SECONDS): consume {QUEUE} at 127.0.0.1:{port} as consumer\n")
        )

    def test_what_is_not_set(self):
        environment = self.amqp("consumer")
        del environment["AMQP_PASSWORD"]
        self.assertEqual(
            self.run_script("queues.py", "consume", QUEUE, **environment), (1, "FAILED: the variable 'AMQP_PASSWORD' is not set\n")
        )
