"""What `helm test` tries at services that others call."""

import threading
import time
from http.server import ThreadingHTTPServer

from containers import CONNECT_REMEDY, Containers, Page  # which also makes the module below importable
from local_servers import free_port


class HttpCalls(Containers):
    def test_statuses(self):
        url = f"http://127.0.0.1:{self.serve()}"
        for expectation, path, code in (
            ("expect-below-500", "/404", 0),
            ("expect-below-500", "/204", 0),
            ("expect-below-500", "", 0),
            ("expect-below-500", "/500", 1),
            ("expect-2xx", "/204", 0),
            ("expect-2xx", "/302", 1),
            ("expect-2xx", "/404", 1),
        ):
            self.assertEqual(self.run_script("http_calls.py", expectation, url + path)[0], code, path)
        code, output = self.run_script("http_calls.py", "expect-2xx", f"{url}/503", "expect-2xx", f"{url}/200")
        self.assertEqual(code, 1)
        self.assertEqual(output, f"GET {url}/503: FAILED: answered 503, expected 2xx: status 503\nGET {url}/200: ok\n")

    def test_what_cannot_be_reached(self):
        url, name, late = f"http://127.0.0.1:{free_port()}/", "http://no-such-name.invalid:80/", free_port()
        began = time.monotonic()
        process = self.start("http_calls.py", "expect-2xx", url, "expect-2xx", name)
        waiting = self.start("http_calls.py", "expect-2xx", f"http://127.0.0.1:{late}/200")
        time.sleep(3)
        server = ThreadingHTTPServer(("127.0.0.1", late), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.assertEqual(self.ended(waiting), (0, f"GET http://127.0.0.1:{late}/200: ok\n"))
        server.shutdown()
        server.server_close()
        code, output = self.ended(process)
        self.assertTrue(18 < time.monotonic() - began < 30)
        self.assertEqual(code, 1)
        refused, unknown = output.splitlines()
        self.assertEqual(refused, f"GET {url}: FAILED: cannot connect: Connection refused: {CONNECT_REMEDY}")
        self.assertRegex(unknown, f"^GET {name}: FAILED: cannot connect: .*(not known|name resolution|associated with hostname)")

    def test_a_server_that_speaks_something_else(self):
        url = f"http://127.0.0.1:{self.listen(b'220 smtp ready' + bytes([13, 10]))}/"
        code, output = self.run_script("http_calls.py", "expect-2xx", url)
        self.assertEqual(code, 1)
        self.assertIn("FAILED: the answer cannot be read (BadStatusLine: 220 smtp ready): does something else listen on this port?", output)

    def test_the_time_limit(self):
        url = f"http://127.0.0.1:{self.listen()}/"
        code, output = self.run_script("http_calls.py", "expect-2xx", url, TEST_SECONDS=2)
        self.assertEqual((code, output), (1, f"FAILED: not finished within 2 s (TEST_SECONDS): GET {url}\n"))

    def test_what_is_no_expectation(self):
        for words in ((), ("expect-2xx",), ("expect-nothing", "http://127.0.0.1:1/")):
            process = self.start("http_calls.py", *words)
            _, errors = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 1)
            self.assertIn(b"http_calls.py [expect-2xx URL", errors)
