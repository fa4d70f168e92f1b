"""Asks the service that it runs in for another render, and for what others have rendered (as CVE-2024-29021 did).

Requests from the machine itself pass where others need a key.
"""

import urllib.request

EXPECT = "stopped"


def attack(target):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{target.service_port}/v1/health", timeout=2) as answer:
            return answer.read(200)
    except urllib.error.URLError as error:
        raise error.reason from None
