"""Asks for webhooks to names that mean addresses of the inside, which nobody can tell by looking at them.

Whoever owns a name says what it means, also that it means 127.0.0.1, and something else at each question.
"""

import socket
import time

EXPECT = "rendered"
BARE = "rendered"  # it is the service that is asked, whatever the tier

SCENE = "class Shown(Scene):\n    def construct(self): self.wait(0.1)"


def drive(host):
    own = {address[4][0] for address in socket.getaddrinfo(socket.gethostname(), None)}
    for name in ("ip6-localhost", "ip6-loopback", socket.gethostname()):
        url = f"http://{name.lower()}:{host.facts['tcp_port']}/"
        answer = host.render(SCENE, format="png", webhook={"url": url})
        path = f"/v1/renders/{answer.render_id}/webhook"
        deadline = time.monotonic() + 100
        while not (attempts := host.client.get(path).json()["attempts"]) or attempts[0]["duration"] is None:
            if time.monotonic() > deadline:
                return f"{url} was not tried"
            time.sleep(0.05)
        reason = attempts[0]["reason"]
        if "internal" not in reason and "is not known" not in reason:
            return f"{url}: {reason}"
        if any(address in reason for address in own | {"127.0.0.1", "::1"}):
            return f"what {name} means inside is told: {reason}"
