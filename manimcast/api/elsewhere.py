"""Fields that clients send out of habit, and what is meant by them here."""

from __future__ import annotations

import difflib
from collections.abc import Collection

_CALLED = {
    "file_class": "scene",
    "scene_name": "scene",
    "class_name": "scene",
    "rendering_engine": "engine",
    "renderer": "engine",
    "source": "code",
    "script": "code",
    "fps": "frame_rate",
    "parameters": "params",
    "variables": "params",
    "output_format": "format",
    "background": "background_color",
    "callback": "webhook",
    "callback_url": "webhook",
    "webhook_url": "webhook",
    "attachments": "assets",
}
"""What other services, and the original endpoint, call a field of a render."""

_ELSEWHERE = {
    "idempotency_key": "send the header Idempotency-Key",
    "stream": "GET /v1/renders/{render_id}/events tells what happens as it happens",
    "wait": "send the header Prefer: wait=SECONDS",
    "join": "join is a field of POST /v1/batches",
    "renders": "many renders are a POST /v1/batches",
    "render": "many renders are a POST /v1/batches",
    "width": 'send resolution, such as {"width": 1280, "height": 720}',
    "height": 'send resolution, such as {"width": 1280, "height": 720}',
    "ttl": "the operator sets how long videos are kept: VIDEO_TTL",
    "retention": "the operator sets how long videos are kept: VIDEO_TTL",
    "expires_in": "the operator sets how long links work: LINK_TTL",
}

_ALIKE = 0.7
"""How much a name must be like another one to be taken for it."""


def what_is_meant(name: str, fields: Collection[str]) -> str:
    """Return what helps a client that sent ``name``, which is none of ``fields``."""
    if (called := _CALLED.get(name)) in fields:
        return f"it is called {called!r} here"
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    if near := difflib.get_close_matches(name, fields, n=1, cutoff=_ALIKE):
        return f"did you mean {near[0]!r}?"
    return f"there are {', '.join(fields)}"
