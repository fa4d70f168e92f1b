"""Reports a failure that it blames on the service, to be tried again or elsewhere.

Each further try costs the operator, and on Modal it costs money.
"""

import os

EXPECT = {"forbidden", "exception", "canceled", "timeout", "out_of_memory"}
BARE = {"forbidden", "exception", "canceled", "timeout", "out_of_memory"}


def attack(target):
    target.say({"type": "failed", "error": {"code": target.step, "message": "no executor: the host refused"}})
    os._exit(0)


def drive(host):
    for code in ("internal", "canceled", "timeout", "out_of_memory"):
        answer = host.render(step=code)
        render = host.client.get(f"/v1/renders/{answer.render_id}").json()
        if render["attempt"] != 1 or answer.status == 503:
            return f"{code}: {render['attempt']} attempts, answer {answer.status}"
