"""How well this host confines scenes, found out as the service does it; told by `manimcast doctor`."""

from __future__ import annotations

import asyncio
import os

from manimcast.cli.checks import Finding, State
from manimcast.executors.local import ground_of
from manimcast.sandbox.host.probe import Ground, Lack
from manimcast.sandbox.layers import FULL, NAMESPACES, Layer, Tier, exposures
from manimcast.settings import SandboxMode, Settings

_PARTS: dict[str, tuple[Layer, ...]] = {
    "bubblewrap": (Layer.bubblewrap,),
    "Namespaces": (*NAMESPACES, Layer.own_proc, Layer.own_files),
    "Landlock": (Layer.landlock,),
    "seccomp": (Layer.seccomp,),
    "Other user": (Layer.not_root, Layer.no_capabilities, Layer.no_new_privileges),
}


def examine(settings: Settings) -> list[Finding]:
    """Return the tier, and each part of it."""
    ground = asyncio.run(ground_of(settings))
    if settings.sandbox is SandboxMode.off:
        detail = "off: scenes run with all that this user may do"
        return [Finding("Sandbox", State.warning, detail, "leave SANDBOX out, unless all scenes are your own")]
    return [_tier(ground, settings.sandbox), *(_part(name, ground) for name in _PARTS)]


def _tier(ground: Ground, mode: SandboxMode) -> Finding:
    if ground.tier is Tier.full:
        return Finding("Sandbox", State.ok, "full: scenes of strangers may be rendered here")
    could = "; ".join(exposures(ground.layers))
    if mode is SandboxMode.weak:
        return Finding("Sandbox", State.warning, f"{ground.tier}, as SANDBOX=weak permits: a scene could {could}")
    remedy = "get what is missing (below); or SANDBOX=weak, for scenes that you trust; or render on Modal"
    detail = f"{ground.tier}, so nothing is rendered here (SANDBOX=strict): a scene could {could}"
    return Finding("Sandbox", State.missing, detail, remedy)


def _part(name: str, ground: Ground) -> Finding:
    lacks = [lack for lack in ground.lacks if lack.layer in _PARTS[name]]
    if not lacks:
        return Finding(name, State.ok, _what_works(name, ground))
    names = ", ".join(lack.layer.replace("_", " ") for lack in lacks)
    return Finding(name, State.warning, f"no {names}: {_reason(lacks)}", lacks[0].remedy)


def _reason(lacks: list[Lack]) -> str:
    return "; ".join(dict.fromkeys(lack.reason for lack in lacks))


def _what_works(name: str, ground: Ground) -> str:
    if name == "Landlock":
        return f"version {ground.landlock_abi} (Linux {os.uname().release})"
    if name == "Other user":
        return f"scenes run as user {ground.owner[0] if ground.owner else os.getuid()}, without any rights of root"
    layers = [
        layer.removesuffix("_namespace").replace("_", " ") for layer in _PARTS[name] if layer in ground.layers & FULL
    ]
    return ", ".join(layers) if len(layers) > 1 else "works"
