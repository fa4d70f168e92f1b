"""Log lines in both shapes, from structlog and from the standard library alike."""

import io
import json
import logging

import pytest
import structlog

from manimcast.settings import LogFormat
from manimcast.telemetry import configure


@pytest.fixture(autouse=True)
def _restore_logging():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(log_format: LogFormat, level: str = "INFO") -> io.StringIO:
    stream = io.StringIO()
    configure(log_format, level, stream=stream)
    return stream


def test_console_lines_start_with_the_level():
    stream = lines(LogFormat.console)
    logging.getLogger("manimcast.x").info("Modal integration disabled, using local rendering")
    structlog.get_logger("y").warning("Queue is full", queued=3)
    assert stream.getvalue() == (
        "[INFO] Modal integration disabled, using local rendering\n[WARNING] Queue is full queued=3\n"
    )


def test_json_lines_carry_the_render():
    stream = lines(LogFormat.json)
    logging.getLogger("manimcast.x").info("Render started", extra={"render_id": "r1"})
    with structlog.contextvars.bound_contextvars(render_id="r2"):
        structlog.get_logger("y").error("Render failed", code="timeout")
        logging.getLogger("z").warning("about %s", "that")
    first, second, third = map(json.loads, stream.getvalue().splitlines())
    assert (first["level"], first["message"], first["render_id"]) == ("info", "Render started", "r1")
    assert (second["level"], second["render_id"], second["code"]) == ("error", "r2", "timeout")
    assert (third["message"], third["render_id"]) == ("about that", "r2")
    assert first["timestamp"].endswith("Z")


def test_a_tag_takes_the_place_of_the_level_for_people():
    stream = lines(LogFormat.console)
    tag = {"tag": "MODAL", "render_id": "r1"}
    logging.getLogger("x").info("Total processing time: %.2fs", 4.471, extra=tag)
    structlog.get_logger("y").info("Starting video rendering with Modal", tag="MODAL")
    logging.getLogger("x").info("forged", extra={"tag": "A]\n[INFO"})
    assert stream.getvalue() == (
        "[MODAL] Total processing time: 4.47s render_id=r1\n"
        "[MODAL] Starting video rendering with Modal\n"
        "[A]\\n[INFO] forged\n"
    )


def test_a_tagged_json_line_keeps_its_level():
    stream = lines(LogFormat.json)
    logging.getLogger("x").warning("Modal is slow", extra={"tag": "MODAL"})
    line = json.loads(stream.getvalue())
    assert (line["level"], line["message"], line["tag"]) == ("warning", "Modal is slow", "MODAL")


@pytest.mark.parametrize("log_format", list(LogFormat))
def test_nobody_forges_a_second_line(log_format: LogFormat):
    stream = lines(log_format)
    logging.getLogger("x").info("scene %s", "A\n[INFO] forged\x1b[31m", extra={"name_": "b\r\nc"})
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("log_format", list(LogFormat))
@pytest.mark.parametrize("get", [logging.getLogger, structlog.get_logger])
def test_exceptions_keep_their_traceback(log_format: LogFormat, get):
    stream = lines(log_format)
    try:
        raise LookupError("gone")
    except LookupError:
        get("x").exception("Request failed")
    assert "LookupError: gone" in stream.getvalue()
    assert "Traceback" in stream.getvalue()


def test_level_is_the_least_that_shows():
    stream = lines(LogFormat.console, "WARNING")
    logging.getLogger("x").info("no")
    structlog.get_logger("x").info("no")
    logging.getLogger("uvicorn.error").warning("yes")
    assert stream.getvalue() == "[WARNING] yes\n"


def test_the_uvicorn_command_loses_its_own_handlers():
    own = io.StringIO()
    access = logging.getLogger("uvicorn.access")
    access.addHandler(logging.StreamHandler(own))
    access.propagate = False
    stream = lines(LogFormat.console)
    access.info("GET /v1/files/x?signature=secret")
    access.warning("odd")
    assert (own.getvalue(), stream.getvalue()) == ("", "[WARNING] odd\n")


def test_uvicorn_does_not_repeat_itself_in_colours():
    stream = lines(LogFormat.console)
    logging.getLogger("uvicorn.error").warning("Shutting down", extra={"color_message": "\x1b[1mShutting down"})
    assert stream.getvalue() == "[WARNING] Shutting down\n"
