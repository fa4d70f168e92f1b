"""What the service tells about itself: log lines."""

from manimcast.telemetry.logs import configure

__all__ = ["configure"]
