"""Each fault does to the real client what its table says."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from tests.modal_plane import faults
from tests.modal_plane.client import Client, call, calling, modal_cli
from tests.modal_plane.running import RunningPlane, alive, nobody_listens
from tests.modal_plane.test_plane import TOY
from tests.patience import until


@pytest.fixture(autouse=True, scope="module")
def toy(module_plane: RunningPlane) -> None:
    """Have the toy app deployed."""
    deployed = modal_cli(module_plane, "deploy", TOY)
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr


def numbers(said: list[dict[str, Any]]) -> list[int | None]:
    """Return what a counting generator yielded: numbers, and None for each beginning."""
    return [line["item"].get("number") for line in said if "item" in line]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.BadToken(), "AuthError"),
        (faults.NotDeployed(), "NotFoundError"),
        (faults.WrongEnvironment(), "NotFoundError"),
        (faults.Exhausted(), "ResourceExhaustedError"),
        (faults.Kill(), "InternalFailure"),
        (faults.OutOfMemory(), "InternalFailure"),
        (faults.OutOfMemory(status="failure"), "RemoteError"),
        (faults.OutOfMemory(status="kernel_oom_kill"), "RemoteError"),
        (faults.TimeOut(), "FunctionTimeoutError"),
        (faults.Terminate(), "RemoteError"),
        (faults.MalformedChunk(), "CBORDecodeError"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_errors_of_a_plain_call(modal_plane: RunningPlane, caller: Client, fault: faults.AnyFault, error: str) -> None:
    with modal_plane.fault(fault) as number:
        (said,) = caller.call("add", 1, 2)
        assert said["error"] == error, said
        assert modal_plane.struck(number) >= 1
        if isinstance(fault, faults.OutOfMemory):
            assert "exit code 137" in said["text"]
    assert caller.call("add", 1, 2) == [{"value": 3}]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.Kill(after=2), "InternalFailure"),
        (faults.OutOfMemory(after=2), "InternalFailure"),
        (faults.TimeOut(after=2), "FunctionTimeoutError"),
        (faults.Terminate(after=2), "RemoteError"),
        (faults.MalformedChunk(after=2), "CBORDecodeError"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_errors_in_the_middle_of_a_stream(
    modal_plane: RunningPlane, tmp_path: Path, fault: faults.AnyFault, error: str
) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    # Without a pause the client may drop what it has not handed out yet when it hears of the error.
    with modal_plane.fault(fault), calling(modal_plane, "count", 2, str(hold)) as talk:
        pid = talk.next()["item"]["pid"]
        assert talk.next() == {"item": {"number": 0}}
        hold.unlink()
        (said,) = talk.rest()
        assert said["error"] == error, said
        until(lambda: not alive(pid), "the end of the container")


def test_killed_and_begun_anew(modal_plane: RunningPlane, caller: Client) -> None:
    with modal_plane.fault(faults.Kill(after=2, then="restart", times=1)):
        said = caller.call("count", 4)
    assert numbers(said) == [None, 0, 1, 2, 3]


def test_preempted(modal_plane: RunningPlane, caller: Client) -> None:
    """The client skips what it has already counted, so the second run is heard from where the first ended."""
    with modal_plane.fault(faults.Preempt(after=2)):
        said = caller.call("count", 4)
    assert numbers(said) == [None, 0, 1, 2, 3]
    assert modal_plane.call(said[0]["item"]["call"]).runs == [2]


def test_preempted_and_heard_from_the_start(modal_plane: RunningPlane, caller: Client) -> None:
    with modal_plane.fault(faults.Preempt(after=2, indices="go_on")):
        said = caller.call("count", 4)
    assert numbers(said) == [None, 0, None, 0, 1, 2, 3]
    assert said[0]["item"]["call"] == said[2]["item"]["call"]
    assert said[0]["item"]["pid"] != said[2]["item"]["pid"]
    assert said[-1] == {"end": True}


def test_preempted_with_time_to_tidy_up(modal_plane: RunningPlane, tmp_path: Path) -> None:
    with (
        modal_plane.fault(faults.Preempt(function="polite", gently=True)),
        calling(modal_plane, "polite", str(tmp_path / "said")) as talk,
    ):
        call_id = talk.next()["item"]
        until((tmp_path / "said").exists, "the container's end")
        assert (tmp_path / "said").read_text() == "KeyboardInterrupt"
        assert modal_plane.call(call_id).runs == [2]


def test_doubled(modal_plane: RunningPlane, caller: Client) -> None:
    with modal_plane.fault(faults.DuplicateChunks()):
        assert numbers(caller.call("count", 2)) == [None, None, 0, 0, 1, 1]
    with modal_plane.fault(faults.DuplicateChunks(indices="same")):
        assert numbers(caller.call("count", 2)) == [None, 0, 1]


@pytest.mark.parametrize("kind", [faults.PickledChunk, faults.PickledException])
@pytest.mark.parametrize("function", ["add", "count"])
def test_what_is_unpickled_by_a_client_makes_a_file(
    modal_plane: RunningPlane,
    caller: Client,
    tmp_path: Path,
    kind: type[faults.PickledChunk | faults.PickledException],
    function: str,
) -> None:
    path = tmp_path / "made"
    arguments = {"add": [1, 2], "count": [3]}[function]
    with modal_plane.fault(kind(path=str(path), times=1)):
        caller.call(function, *arguments)
    assert path.exists()


def test_other_bytes_than_the_container_sent(modal_plane: RunningPlane, caller: Client) -> None:
    with modal_plane.fault(faults.MalformedChunk(hex="a161610b", times=1)):
        assert caller.call("count", 0) == [{"item": {"a": 11}}, {"end": True}]


def test_oversized(modal_plane: RunningPlane, caller: Client) -> None:
    with modal_plane.fault(faults.OversizedChunk(size=20_000_000, times=1)):
        assert caller.call("add", 1, 2) == [{"value": {"bytes": 20_000_000}}]


@pytest.mark.parametrize("name", ["FunctionGet", "FunctionMap", "FunctionGetOutputs"])
def test_silence_of_one_call(modal_plane: RunningPlane, name: str) -> None:
    number = modal_plane.inject(faults.Silent(calls=(name,)))
    with calling(modal_plane, "add", 1, 2) as talk:
        until(lambda: modal_plane.struck(number), "the silence")
        modal_plane.clear(number)
        assert talk.rest() == [{"value": 3}]


def test_silence_in_the_middle_of_a_stream(modal_plane: RunningPlane, tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    with calling(modal_plane, "count", 2, str(hold)) as talk:
        call_id = talk.next()["item"]["call"]
        assert talk.next() == {"item": {"number": 0}}
        number = modal_plane.inject(faults.Silent(calls=("FunctionCallGetDataOut",)))
        hold.unlink()
        until(lambda: modal_plane.struck(number), "the silence")
        assert modal_plane.call(call_id).chunks == 3
        modal_plane.clear(number)
        assert talk.rest() == [{"item": {"number": 1}}, {"end": True}]


def test_total_silence(modal_plane: RunningPlane) -> None:
    number = modal_plane.inject(faults.Silent())
    with calling(modal_plane, "add", 1, 2) as talk:
        until(lambda: modal_plane.struck(number), "the silence")
        modal_plane.clear()
        assert talk.rest() == [{"value": 3}]


def test_standing_still(modal_plane: RunningPlane, tmp_path: Path) -> None:
    with calling(modal_plane, "wait_for_file", str(tmp_path / "go")) as talk:
        pid = modal_plane.container("wait_for_file").pid
        modal_plane.stop()
        (tmp_path / "go").touch()
        assert alive(pid)
        modal_plane.resume()
        assert talk.rest() == [{"value": "1"}]


def test_refused_until_cleared(modal_plane: RunningPlane) -> None:
    number = modal_plane.inject(faults.Refuse())
    with calling(modal_plane, "add", 1, 2) as talk:
        modal_plane.clear(number)
        assert talk.rest() == [{"value": 3}]


def test_refused_in_the_middle_of_a_stream(modal_plane: RunningPlane) -> None:
    number = modal_plane.inject(faults.Refuse(after=2))
    said = call(modal_plane, "count", 5)
    assert said[-1]["error"] in {"ConnectionRefusedError", "ConnectionError", "StreamTerminatedError"}, said
    assert modal_plane.struck(number) >= 1
    modal_plane.clear()
    assert call(modal_plane, "add", 1, 2) == [{"value": 3}]


def test_dropped_in_the_middle_of_a_stream(modal_plane: RunningPlane) -> None:
    number = modal_plane.inject(faults.Drop(after=2))
    assert numbers(call(modal_plane, "count", 5)) == [None, 0, 1, 2, 3, 4]
    assert modal_plane.struck(number) == 1


def test_nobody_listening() -> None:
    host, port = nobody_listens().removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


def test_held_back_and_canceled_while_it_waits(modal_plane: RunningPlane, caller: Client) -> None:
    number = modal_plane.inject(faults.HoldStart(function="count"))
    with calling(modal_plane, "count", 1) as talk:
        until(lambda: modal_plane.struck(number), "the start that is held back")
        waiting = modal_plane.report().calls[-1]
        assert (waiting.function, waiting.states) == ("count", ["queued"])
        caller.call("cancel", waiting.id)
        (said,) = talk.rest()
        assert said["error"] == "RemoteError"
        assert modal_plane.call(waiting.id).runs == [0]


def test_held_back_and_let_go(modal_plane: RunningPlane, caller: Client) -> None:
    number = modal_plane.inject(faults.HoldStart(function="count"))
    with calling(modal_plane, "count", 1) as talk:
        until(lambda: modal_plane.struck(number), "the start that is held back")
        modal_plane.clear(number)
        assert numbers(talk.rest()) == [None, 0]
    with modal_plane.fault(faults.HoldStart(function="count", seconds=0.1)):
        assert numbers(caller.call("count", 1)) == [None, 0]


def test_crashing_at_the_start(modal_plane: RunningPlane, caller: Client) -> None:
    with modal_plane.fault(faults.CrashAtStart(function="count")) as number:
        (said,) = caller.call("count", 1)
        assert said["error"] == "RemoteError"
        assert modal_plane.struck(number) == 3


def test_crashing_at_the_start_without_end(modal_plane: RunningPlane) -> None:
    number = modal_plane.inject(faults.CrashAtStart(function="count", endless=True))
    with calling(modal_plane, "count", 1) as talk:
        until(lambda: modal_plane.struck(number) > 3, "the fourth crash")
        modal_plane.clear(number)
        assert numbers(talk.rest()) == [None, 0]
    assert "told to crash" in modal_plane.logs()


def test_cancel_that_fails(modal_plane: RunningPlane, caller: Client, tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    with calling(modal_plane, "count", 1, str(hold)) as talk:
        first = talk.next()["item"]
        with modal_plane.fault(faults.CancelFails()) as number:
            (said,) = caller.call("cancel", first["call"])
            assert said["error"] == "ServiceError"
            assert modal_plane.struck(number) == 4  # the client tries again three times
        assert alive(first["pid"])
        with modal_plane.fault(faults.CancelFails(times=2)):
            assert caller.call("cancel", first["call"]) == [{"value": None}]
        until(lambda: not alive(first["pid"]), "the end of the container")
