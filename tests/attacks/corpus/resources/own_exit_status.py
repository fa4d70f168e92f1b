"""Ends with the numbers that stand for faults of the machine, to be tried again, also elsewhere and for money.

The number is the scene's to choose, and so says nothing of the machine.
"""

import os

EXPECT = "killed"
BARE = "killed"


def attack(target):
    os._exit(int(target.step))


def drive(host):
    for status in (71, 75, 97, 98, 126, 127):
        answer = host.render(step=str(status))
        render = host.client.get(f"/v1/renders/{answer.render_id}").json()
        if render["attempt"] != 1 or answer.status != 422:
            return f"exit status {status}: answer {answer.status} after {render['attempt']} attempts"
