"""A server with TLS and a certificate of its own, which answers 501 to all there is."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CERTIFICATE = """
import datetime, ipaddress, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
now = datetime.datetime.now(datetime.UTC)
made = (
    x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
    .not_valid_after(now + datetime.timedelta(days=1))
    .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
    .sign(key, hashes.SHA256())
)
pem = serialization.Encoding.PEM
sys.stdout.buffer.write(made.public_bytes(pem))
sys.stdout.buffer.write(
    key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
)
"""


def read_request(talking: ssl.SSLSocket) -> None:
    """Read a request to its end, so that closing the connection afterwards loses no answer."""
    with talking.makefile("rb") as lines:
        length = 0
        while (line := lines.readline().strip().lower()) != b"":
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        lines.read(length)


@contextmanager
def with_tls(folder: Path) -> Iterator[tuple[str, Path]]:
    """Run a server whose certificate nobody trusts, and which has nothing to say; return its address and that."""
    made = subprocess.run([sys.executable, "-c", CERTIFICATE], capture_output=True, check=True).stdout
    certificate = folder / "certificate.pem"
    certificate.write_bytes(made)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                    with connection, context.wrap_socket(connection, server_side=True) as talking:
                        read_request(talking)
                        talking.sendall(b"HTTP/1.1 501 Not Implemented\r\ncontent-length: 0\r\n\r\n")
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}", certificate
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            serving.join()
