"""Calls about who one is: what ``modal token`` and ``modal profile`` ask."""

from __future__ import annotations

from modal_proto import api_pb2 as pb

from tests.modal_plane.apps import Apps
from tests.modal_plane.serving import unary

WORKSPACE = "loopback"


class Account(Apps):
    """The one workspace that there is."""

    @unary
    async def ClientHello(self, request: object) -> pb.ClientHelloResponse:  # noqa: N802
        return pb.ClientHelloResponse()

    @unary
    async def WorkspaceNameLookup(self, request: object) -> pb.WorkspaceNameLookupResponse:  # noqa: N802
        return pb.WorkspaceNameLookupResponse(workspace_name=WORKSPACE, username=WORKSPACE)

    @unary
    async def TokenInfoGet(self, request: object) -> pb.TokenInfoGetResponse:  # noqa: N802
        return pb.TokenInfoGetResponse(token_id=self.plane.token[0], workspace_name=WORKSPACE)

    @unary
    async def ObjectSuggest(self, request: pb.ObjectSuggestRequest) -> pb.ObjectSuggestResponse:  # noqa: N802
        return pb.ObjectSuggestResponse()
