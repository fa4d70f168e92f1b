"""Receives webhooks at a permitted address, and answers with redirects to others, and with lies about lengths.

A client that follows redirects checks the first address and connects to the last.
"""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EXPECT = "rendered"
BARE = "rendered"  # it is the service that is asked, whatever the tier

SCENE = "class Shown(Scene):\n    def construct(self): self.wait(0.1)"
STATUSES = (301, 302, 303, 307, 308, 300, 305)


def drive(host):
    inside = f"http://127.0.0.1:{host.facts['tcp_port']}/"

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(int(self.path[1:]))
            for name in ("location", "content-location", "refresh", "link", "alt-svc"):
                self.send_header(name, inside)
            self.send_header("content-length", str(10**12))
            self.end_headers()
            self.wfile.write(b"\x1b]0;owned\x07")

        def log_message(self, *_):
            pass

    receiver = ThreadingHTTPServer(("127.0.0.2", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    try:
        with host.another(webhook_allowed_networks="127.0.0.2/32") as other:
            for status in STATUSES:
                url = f"http://127.0.0.2:{receiver.server_port}/{status}"
                answer = other.render(SCENE, format="png", webhook={"url": url})
                path = f"/v1/renders/{answer.render_id}/webhook"
                deadline = time.monotonic() + 100
                while not (attempts := other.client.get(path).json()["attempts"]) or attempts[0]["duration"] is None:
                    if time.monotonic() > deadline:
                        return f"{status} was not tried"
                    time.sleep(0.05)
                if attempts[0]["status"] != status or "not followed" not in attempts[0]["reason"]:
                    return f"{status}: {attempts[0]}"
    finally:
        receiver.shutdown()
        receiver.server_close()
