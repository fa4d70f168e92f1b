"""What a host offers is found out by doing; what is missing is told with what would help."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from manimcast.sandbox.host import bubblewrap, probe, remedies, seccomp
from manimcast.sandbox.host.probe import Ground, examine
from manimcast.sandbox.layers import FULL, NAMESPACES, Layer, Tier, exposures, tier_of
from manimcast.sandbox.orders import TEMPORARY, Bounds, Orders
from tests.sandbox.hosts import OWNER, without_bubblewrap

__all__ = ["without_bubblewrap"]

BOUNDS = Bounds(memory=1 << 30, file_bytes=1 << 28, cpu_seconds=100, processes=32)


def ground(**more: Any) -> Ground:
    return asyncio.run(examine(owner=OWNER, **more))


def test_this_host_gives_the_full_tier() -> None:
    found = ground()
    assert found.lacks == ()
    assert found.layers >= FULL
    assert found.tier is Tier.full
    assert found.landlock_abi >= 1
    orders = found.orders(BOUNDS)
    assert orders.files_at == bubblewrap.FILES
    assert orders.seccomp == seccomp.program()
    assert Orders.loads(orders.dumps()) == orders


def test_without_bubblewrap_everything_else_still_holds(without_bubblewrap: Path) -> None:
    found = ground()
    assert [(lack.layer, lack.reason, lack.remedy) for lack in found.lacks] == [
        (Layer.bubblewrap, "not installed", "apt-get install bubblewrap")
    ]
    assert found.tier is Tier.weak
    assert not found.wrapped
    assert found.layers >= {*NAMESPACES, Layer.landlock, Layer.seccomp, Layer.own_files, Layer.not_root}
    assert found.orders(BOUNDS).files_at == TEMPORARY
    assert found.missing() == "bubblewrap (not installed): apt-get install bubblewrap"


def test_a_bubblewrap_that_does_not_work_says_why(without_bubblewrap: Path) -> None:
    broken = without_bubblewrap / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    (lack,) = ground().lacks
    assert (lack.layer, lack.reason) == (Layer.bubblewrap, "bwrap: No permissions to create new namespace")
    assert lack.remedy


def test_a_processor_without_a_filter_lacks_seccomp(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported() -> bytes:
        raise seccomp.UnsupportedMachineError("riscv64")

    monkeypatch.setattr(seccomp, "program", unsupported)
    found = ground()
    assert [lack.layer for lack in found.lacks] == [Layer.seccomp]
    assert found.orders(BOUNDS).seccomp == b""
    assert found.tier is Tier.weak


@pytest.mark.parametrize("kernel", ["namespaces", "landlock", "everything"])
def test_kernels_that_refuse_are_told_by_what_they_refuse(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe runs under a filter of its own, which refuses what such a kernel refuses."""
    refused = {
        "namespaces": ("unshare", "clone_newuser"),
        "landlock": ("landlock",),
        "everything": ("unshare", "clone_newuser", "landlock", "seccomp"),
    }[kernel]
    monkeypatch.setattr(probe, "_inner", _within(probe._inner, refused))
    monkeypatch.setattr(bubblewrap, "program", lambda: None)
    found = ground()
    lacking = {lack.layer for lack in found.lacks}
    assert (Layer.user_namespace in lacking) == (kernel != "landlock")
    assert (Layer.landlock in lacking) == (kernel != "namespaces")
    assert (Layer.seccomp in lacking) == (kernel == "everything")
    assert found.tier is (Tier.none if kernel == "everything" else Tier.weak)
    assert (Layer.keeper in found.layers) == (kernel != "landlock")


def _within(inner: Any, refused: tuple[str, ...]) -> Any:
    from tests.sandbox import refusing  # noqa: PLC0415

    return lambda orders: refusing.command(refused, inner(orders))


def test_a_checkout_in_the_temporary_folder_is_visible_and_hides_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    (tmp_path / "font.ttf").touch()
    found = ground(readable=[tmp_path])
    assert str(tmp_path) in found.readable
    assert found.tier is Tier.full
    command = bubblewrap.command(["ls", str(tmp_path)], paths=found.readable, become=found.owner)
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}, check=False)
    assert done.stdout.split() == ["font.ttf"], done.stderr


def test_inside_there_is_nothing_that_rendering_does_not_need() -> None:
    found = ground()
    script = "ls -A / /etc /dev /var /var/lib; ls -A /root /home 2>&1; cat /proc/1/environ"
    command = bubblewrap.command(["sh", "-c", script], paths=found.readable, become=found.owner)
    environment = {"PATH": os.environ["PATH"], "MARK": "only this"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    seen = set(done.stdout.split())
    assert not seen & {
        "passwd",
        "shadow",
        "ssh",
        "hostname",
        "hosts",
        "resolv.conf",
        "machine-id",
        "dpkg",
        "mem",
        "kmsg",
    }
    assert {"null", "urandom", "proc", "usr"} <= seen
    assert "MARK=only" in done.stdout
    assert "SHELL" not in done.stdout


def test_what_lies_beneath_something_visible_is_named_once() -> None:
    paths = bubblewrap.readable([Path("/usr/share/fonts"), Path("/usr/bin"), Path("/no/such/folder")])
    assert "/usr/share/fonts" not in paths
    assert "/no/such/folder" not in paths
    assert len(set(paths)) == len(paths)
    assert not any(one != other and one.startswith(f"{other}/") for one in paths for other in paths)


def test_tiers() -> None:
    assert tier_of(FULL) is Tier.full
    for layer in FULL:
        assert tier_of(FULL - {layer}) is not Tier.full
    assert tier_of(frozenset()) is Tier.none
    assert tier_of(probe.UNCONFINED) is Tier.none
    assert Ground().tier is Tier.none


def test_what_a_scene_could_do_without_a_layer() -> None:
    assert exposures(FULL) == []
    assert exposures(FULL - {Layer.bubblewrap}) == [
        "learn which files there are on this machine, and change permissions and times of those of its user"
    ]
    everything = exposures(probe.UNCONFINED)
    assert everything[0].startswith("act as root")
    assert any("every file that the service's user can" in item for item in everything)
    assert any("network" in item for item in everything)
    for layer in (Layer.seccomp, Layer.own_files, Layer.own_proc, Layer.not_root):
        assert len(exposures(FULL - {layer})) == 1


@pytest.mark.parametrize(
    ("switch", "content", "expected"),
    [
        ("_APPARMOR_SWITCH", "1\n", "./dev setup sandbox"),
        ("_APPARMOR_SWITCH", "0\n", "let ordinary users make namespaces"),
        ("_DEBIAN_SWITCH", "0\n", "sysctl -w kernel.unprivileged_userns_clone=1"),
        ("_COUNT", "0\n", "sysctl -w user.max_user_namespaces="),
    ],
)
def test_the_remedy_is_for_the_host_at_hand(
    switch: str, content: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ordinary_host(tmp_path, monkeypatch)
    (tmp_path / "switch").write_text(content)
    monkeypatch.setattr(remedies, switch, tmp_path / "switch")
    assert expected in remedies.of(Layer.user_namespace)


def test_in_a_container_the_remedy_is_the_container_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _ordinary_host(tmp_path, monkeypatch)
    (tmp_path / "mark").touch()
    monkeypatch.setattr(remedies, "_CONTAINER_MARKS", (tmp_path / "mark",))
    assert remedies.of(Layer.own_proc).startswith("this is a container")
    assert remedies.of(Layer.not_root).startswith("this is a container")


def test_the_kernel_s_own_layers_have_remedies_of_their_own() -> None:
    assert "lsm=landlock" in remedies.of(Layer.landlock)
    assert "seccomp" in remedies.of(Layer.seccomp)
    for layer in FULL:
        assert remedies.of(layer)


def test_the_profile_is_for_the_copy_and_permits_namespaces() -> None:
    assert f"profile manimcast-bwrap {bubblewrap.COPY} flags=(unconfined)" in remedies.APPARMOR_TEXT
    assert "  userns," in remedies.APPARMOR_TEXT


def _ordinary_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_APPARMOR_SWITCH", "_DEBIAN_SWITCH", "_COUNT"):
        monkeypatch.setattr(remedies, name, tmp_path / "absent")
    monkeypatch.setattr(remedies, "_CONTAINER_MARKS", ())
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
