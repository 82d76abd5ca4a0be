"""What `helm test` tries at a proxy that authenticates users."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from containers import CONNECT_REMEDY, Containers  # which also makes the module below importable
from local_servers import free_port

PROVIDER = "http://login.example.test/authorize"
REQUEST = "response_type=code&client_id=web&redirect_uri=https%3A%2F%2Fweb.example.test%2Foauth2%2Fcallback"


class Proxy(BaseHTTPRequestHandler):
    """Answers with the status that the path names, and redirects to the address of its server."""

    def do_GET(self):
        status = int(self.path.strip("/"))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Login(Containers):
    def proxy(self, location=""):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        server.location = location
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def test_statuses(self):
        url = self.proxy()
        for status, code in ((401, 0), (403, 0), (200, 1), (404, 1), (502, 1)):
            self.assertEqual(self.run_script("login.py", f"{url}/{status}")[0], code, status)
        code, output = self.run_script("login.py", f"{url}/200")
        self.assertEqual(
            (code, output),
            (
                1,
                f"GET {url}/200 without a login: FAILED: answered 200, expected a redirect to the provider, 401 or 403: everybody can open the page\n",
            ),
        )

    def test_a_redirect_leads_to_a_provider(self):
        url = self.proxy(f"{PROVIDER}?{REQUEST}")
        self.assertEqual(self.run_script("login.py", f"{url}/302"), (0, f"GET {url}/302 without a login: ok\n"))
        for location, lacking in (
            ("/welcome", "response_type, client_id, redirect_uri"),
            (f"{PROVIDER}?{REQUEST.replace('client_id', 'id')}", "client_id"),
        ):
            url = self.proxy(location)
            code, output = self.run_script("login.py", f"{url}/302")
            self.assertEqual(code, 1)
            self.assertIn(f"FAILED: redirected to {location}, which is no provider: the address lacks {lacking}\n", output)

    def test_what_cannot_be_reached(self):
        url = f"http://127.0.0.1:{free_port()}/"
        code, output = self.run_script("login.py", url)
        self.assertEqual(code, 1)
        self.assertIn(f"cannot connect: Connection refused: {CONNECT_REMEDY}", output)

    def test_what_is_no_address(self):
        for words in ((), ("http://127.0.0.1:1/", "http://127.0.0.1:2/")):
            process = self.start("login.py", *words)
            _, errors = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 1)
            self.assertIn(b"login.py URL", errors)
