"""Sends bodies that cost more to read than to write: deep, long, odd encodings, many keys.

A request of a megabyte must not cost a gigabyte or a minute.
"""

EXPECT = "refused"
BARE = "refused"  # it is the service that is asked, whatever the tier

BODIES = {
    "deep lists": b'{"code": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "deep objects": b'{"code": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    "many keys": b"{" + b",".join(b'"k%d":1' % number for number in range(80_000)) + b"}",
    "a number of many digits": b'{"code": ' + b"9" * 900_000 + b"}",
    "a fraction of many digits": b'{"code": 1.' + b"9" * 900_000 + b"}",
    "escapes": b'{"code": 1, "x": "' + b"\\u0000" * 150_000 + b'"}',
    "another encoding": '{"code": 1}'.encode("utf-32"),
    "packed": b"\x1f\x8b\x08\x00" + b"\x00" * 1000,
    "too long": b'{"code": "' + b"x" * 3_000_000 + b'"}',
}


def drive(host):
    for name, body in BODIES.items():
        for route in ("/v1/video/rendering", "/v1/renders"):
            headers = {"content_encoding": "gzip"} if name == "packed" else {}
            try:
                status, content = host.raw("POST", route, body=body, content_type="application/json", **headers)
            except (BrokenPipeError, ConnectionResetError):
                continue  # it does not even read all of it
            if not 400 <= status < 500:
                return f"{name}: {status} {content[:100]!r}"
    host.render({"not": "code"})
