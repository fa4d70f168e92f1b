"""The ids that paths name, as handlers take them.

What could be nobody's id is not found before it gets to a database: PostgreSQL, for one, takes no NUL byte. The key is
looked at first, so that whoever has none learns nothing.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends

from manimcast.api.context import Tenant
from manimcast.api.problems import Problem, missing

_KINDS = {"rnd_": ("render", "/v1/renders"), "bat_": ("batch", "/v1/batches"), "ast_": ("asset", "/v1/assets")}
"""What an id is of, and where that is listed, by how it begins."""
_POSSIBLE = re.compile(r"[0-9A-Za-z_-]{1,100}", re.ASCII)


def _render_id(_tenant: Tenant, render_id: str) -> str:
    return _possible(render_id, Problem.render_not_found, "render")


def _batch_id(_tenant: Tenant, batch_id: str) -> str:
    return _possible(batch_id, Problem.batch_not_found, "batch")


def _asset_id(_tenant: Tenant, asset_id: str) -> str:
    return _possible(asset_id, Problem.asset_not_found, "asset")


def _possible(value: str, problem: Problem, what: str) -> str:
    for begins, (other, where) in _KINDS.items():
        if value.startswith(begins) and other != what:
            raise missing(problem, what, value, f"; ids of that form are in {where}")
    if _POSSIBLE.fullmatch(value):
        return value
    raise missing(problem, what, value)


RenderId = Annotated[str, Depends(_render_id)]
BatchId = Annotated[str, Depends(_batch_id)]
AssetId = Annotated[str, Depends(_asset_id)]
