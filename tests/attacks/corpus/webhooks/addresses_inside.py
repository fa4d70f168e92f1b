"""Asks for webhooks to addresses of the inside, written in all the ways in which programs take them for others.

The service can reach what its clients cannot: databases, the metadata of clouds, itself (the sort of hole that gave
away a bank's customers in 2019).
"""

EXPECT = "refused"
BARE = "refused"  # it is the service that is asked, whatever the tier

SCENE = "class Shown(Scene):\n    def construct(self): self.wait(0.1)"


def drive(host):
    port = host.facts["tcp_port"]
    for url in (
        f"http://127.0.0.1:{port}/",
        f"http://127.1:{port}/",
        f"http://2130706433:{port}/",
        f"http://0x7f000001:{port}/",
        f"http://0x7f.0.0.1:{port}/",
        f"http://0177.0.0.1:{port}/",
        f"http://127.0.0.1.:{port}/",
        f"http://%31%32%37.0.0.1:{port}/",
        f"http://\uff11\uff12\uff17.0.0.1:{port}/",
        f"http://127\u30020\u30020\u30021:{port}/",
        f"http://localhost:{port}/",
        f"http://LocalHost.:{port}/",
        f"http://any.localhost:{port}/",
        f"http://0.0.0.0:{port}/",
        f"http://0:{port}/",
        f"http://[::1]:{port}/",
        f"http://[::]:{port}/",
        f"http://[::ffff:127.0.0.1]:{port}/",
        f"http://[::ffff:7f00:1]:{port}/",
        f"http://[::127.0.0.1]:{port}/",
        f"http://[64:ff9b::127.0.0.1]:{port}/",
        f"http://[2002:7f00:1::]:{port}/",
        f"http://[fe80::1%25lo]:{port}/",
        f"http://example.org@127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}#@example.org/",
        f"http://127.0.0.1:{port}\\@example.org/",
        f"http://example.org\\@127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}\t@example.org/",
        f"http://example.org:80@127.0.0.1:{port}/",
        f"http:127.0.0.1:{port}/",
        f"//127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}/\r\nhost: example.org",
        f"gopher://127.0.0.1:{port}/_GET%20/",
        f"file:///etc/passwd#{port}",
        "unix:///run/docker.sock",
        "http://example.org:25/",
        "http://example.org:6379@127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://168.63.129.16/machine",
        "http://100.100.100.200/",
    ):
        answer = host.render(SCENE, format="png", webhook={"url": url})
        if answer.status != 422:
            return f"{url}: {answer.status} {answer.detail}"
