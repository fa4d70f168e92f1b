"""S3 servers for tests, each a real process on a port of its own, and a proxy that makes trouble on the way to them."""

from tests.buckets.proxy import Asked, Proxy, proxy
from tests.buckets.servers import BUCKET, KEY, REGION, SECRET, BucketServer, moto, nanio

__all__ = ["BUCKET", "KEY", "REGION", "SECRET", "Asked", "BucketServer", "Proxy", "moto", "nanio", "proxy"]
