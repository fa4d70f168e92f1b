"""Sends forms that cost more to read than to write: heads without end, parts without end, no end, no file.

Uploads are read before it is known what they are.
"""

EXPECT = "refused"
BARE = "refused"  # it is the service that is asked, whatever the tier

TYPE = "multipart/form-data; boundary=x"
FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'


def drive(host):
    for body, boundary in (
        (b"--x\r\n" + b"A: b\r\n" * 200_000 + b"\r\n", TYPE),
        (b"--x\r\nX-Long: " + b"y" * 1_000_000, TYPE),
        (b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na\r\n' * 50_000 + b"--x--\r\n", TYPE),
        (FILE + b"a" * 1_000_000, TYPE),
        (FILE + b"a\r\n--x--\r\n", "multipart/form-data; boundary=" + "x" * 5000),
        (FILE + b"a\r\n--x--\r\n", "multipart/form-data"),
        (b"\r\n" * 500_000, TYPE),
        (b"--x" * 300_000, TYPE),
        (b"", TYPE),
        (FILE.replace(b"a.txt", b"a.txt\r\nX-More: 1") + b"a\r\n--x--\r\n", TYPE),
        (FILE + bytes(33 << 20) + b"\r\n--x--\r\n", TYPE),
    ):
        status = host.send("POST", "/v1/assets", content=body, headers={"content-type": boundary}).status_code
        if not 400 <= status < 500:
            return f"{body[:60]!r}: {status}"
    host.render({"not": "code"})
    return None
