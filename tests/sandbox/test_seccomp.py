"""The filter says what the tables say, of every call with every argument, and the kernel takes it."""

from __future__ import annotations

import json
import platform
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manimcast.sandbox.host.seccomp import UnsupportedMachineError, program
from manimcast.sandbox.host.syscalls import PERMITTED, Answer, Call, OneOf
from manimcast.sandbox.host.syscalls_refused import REFUSED
from tests.patience import PATIENCE
from tests.sandbox import bpf, syscall_page

ROOT = Path(__file__).parents[2]
MACHINES = ("x86_64", "aarch64")
PROGRAMS = {machine: program(machine) for machine in MACHINES}
PERMITTED_CALLS = [call for group in PERMITTED for call in group.calls]
REFUSED_CALLS = [(call, refusal.answer) for refusal in REFUSED for call in refusal.calls]
CALLS = {call.name: call for call in [*PERMITTED_CALLS, *(call for call, _ in REFUSED_CALLS)]}
ANSWERS = {answer.value for answer in Answer if answer.value}
EPERM, ENOTTY, ENOSYS = (bpf.errno(answer.value) for answer in (Answer.EPERM, Answer.ENOTTY, Answer.ENOSYS))

SOME = 0xDEAD_BEEF_1234_5678
HIGH = 1 << 32
ADDRESS = 0x7FFD_1234_5000


def verdict(machine: str, name: str, *arguments: int) -> int:
    number = CALLS[name].number(machine)
    assert number is not None
    return bpf.evaluate(PROGRAMS[machine], bpf.ARCHITECTURES[machine], number, arguments)


def has(call: Call, machine: str) -> bool:
    return call.number(machine) is not None


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_without_conditions_are_permitted_with_any_arguments(machine: str) -> None:
    for call in PERMITTED_CALLS:
        if has(call, machine) and not call.tests:
            for arguments in ([0] * 6, [SOME] * 6, [-1] * 6):
                assert verdict(machine, call.name, *arguments) == bpf.ALLOW, call.name


@pytest.mark.parametrize("machine", MACHINES)
def test_refused_calls_get_the_answer_of_the_table(machine: str) -> None:
    for call, answer in REFUSED_CALLS:
        if has(call, machine):
            for arguments in ([0] * 6, [SOME] * 6, [-1] * 6):
                assert verdict(machine, call.name, *arguments) == bpf.errno(answer.value), call.name


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        # int 17 is SIGCHLD; threads; every namespace alone; and what some kernels read in the high word
        ("clone", (17,), bpf.ALLOW),
        ("clone", (0x3D_0F00,), bpf.ALLOW),
        ("clone", (0x0100_4111,), bpf.ALLOW),
        *(("clone", (17 | 1 << bit,), EPERM) for bit in (7, 17, 25, 26, 27, 28, 29, 30)),
        ("clone", (17 | HIGH,), EPERM),
        ("clone", (17 | 2 * HIGH,), EPERM),
        ("clone", (17 | 0x1000_0000 | 5 * HIGH,), EPERM),
        ("clone3", (ADDRESS, 88), ENOSYS),
        ("socketpair", (1, 1, 0), bpf.ALLOW),
        ("socketpair", (1 | 7 * HIGH, 1, 0), bpf.ALLOW),  # the kernel reads an int
        ("socketpair", (2, 1, 0), EPERM),
        ("socketpair", (16, 1, 0), EPERM),
        ("socketpair", (HIGH, 1, 0), EPERM),
        ("socket", (1, 1, 0), EPERM),
        ("sendto", (4, ADDRESS, 9, 0, 0, 0), bpf.ALLOW),
        ("sendto", (4, ADDRESS, 9, 0x4040, 0, 0), bpf.ALLOW),
        ("sendto", (4, ADDRESS, 9, 0, ADDRESS, 16), EPERM),
        ("sendto", (4, ADDRESS, 9, 0, 1, 16), EPERM),
        ("sendto", (4, ADDRESS, 9, 0, HIGH, 16), EPERM),  # an address whose low word is zero
        ("sendto", (4, ADDRESS, 9, 1, 0, 0), EPERM),  # MSG_OOB
        ("sendto", (4, ADDRESS, 9, 0x4001, 0, 0), EPERM),
        ("recvfrom", (4, ADDRESS, 9, 0, 0, 0), bpf.ALLOW),
        ("recvfrom", (4, ADDRESS, 9, 0, ADDRESS, ADDRESS), bpf.ALLOW),
        ("recvfrom", (4, ADDRESS, 9, 1, 0, 0), EPERM),
        ("getsockopt", (4, 1, 3, ADDRESS, ADDRESS), bpf.ALLOW),
        ("getsockopt", (4, 1, 77, ADDRESS, ADDRESS), EPERM),  # SO_PEERPIDFD
        ("getsockopt", (4, 1, 17, ADDRESS, ADDRESS), EPERM),  # SO_PEERCRED
        ("getsockopt", (4, 6, 3, ADDRESS, ADDRESS), EPERM),
        ("futex", (ADDRESS, 0x81, 1), bpf.ALLOW),
        ("futex", (ADDRESS, 0x189, 1), bpf.ALLOW),
        ("futex", (ADDRESS, 0x109 | HIGH, 1), bpf.ALLOW),
        *(("futex", (ADDRESS, operation | 0x80, 1), ENOSYS) for operation in (2, 6, 7, 8, 11, 12, 13, 14)),
        ("renameat2", (-100, ADDRESS, -100, ADDRESS, 1), bpf.ALLOW),
        ("renameat2", (-100, ADDRESS, -100, ADDRESS, 4), EPERM),  # RENAME_WHITEOUT
        ("ioctl", (1, 0x5401, ADDRESS), bpf.ALLOW),
        ("ioctl", (1, 0x5421, ADDRESS), bpf.ALLOW),
        ("ioctl", (1, 0x5412, ADDRESS), ENOTTY),  # TIOCSTI
        ("ioctl", (1, 0x5412 | HIGH, ADDRESS), ENOTTY),
        ("ioctl", (1, 0x541C, ADDRESS), ENOTTY),  # TIOCLINUX
        ("ioctl", (1, 0x541C | 0xFFFF_FFFF * HIGH, ADDRESS), ENOTTY),
        ("ioctl", (1, 0, ADDRESS), ENOTTY),
        ("prctl", (15, ADDRESS), bpf.ALLOW),
        *(("prctl", (option, 1), EPERM) for option in (4, 8, 22, 24, 35, 36, 38, 47, 59, 0x5961_6D61)),
        ("personality", (0xFFFF_FFFF,), bpf.ALLOW),
        ("personality", (-1,), bpf.ALLOW),
        ("personality", (0x0004_0000,), EPERM),  # ADDR_NO_RANDOMIZE
        ("personality", (0,), EPERM),
        ("prlimit64", (0, 7, ADDRESS, 0), bpf.ALLOW),
        ("prlimit64", (1, 7, ADDRESS, 0), EPERM),
        ("setpriority", (0, 0, 19), bpf.ALLOW),
        ("setpriority", (0, 1, 19), EPERM),
        ("setpriority", (2, 0, 19), EPERM),
        ("sched_setscheduler", (77, 3, ADDRESS), bpf.ALLOW),
        ("sched_setscheduler", (77, 1, ADDRESS), EPERM),  # SCHED_FIFO
        ("fchmod", (3, 0o755), bpf.ALLOW),
        ("fchmod", (3, 0o4755), EPERM),
        ("fchmod", (3, 0o2755), EPERM),
        ("fchmodat", (-100, ADDRESS, 0o1777), bpf.ALLOW),
        ("fchmodat", (-100, ADDRESS, 0o6000), EPERM),
        ("fchmodat", (-100, ADDRESS, 0o4755 | 9 * HIGH), EPERM),
        ("fchmodat2", (-100, ADDRESS, 0o755, 0), ENOSYS),
        ("openat", (-100, ADDRESS, 0, SOME), bpf.ALLOW),  # nothing is created, so the mode is not read
        ("openat", (-100, ADDRESS, 0o1101, 0o644), bpf.ALLOW),
        ("openat", (-100, ADDRESS, 0o1101, 0o4644), EPERM),
        ("openat", (-100, ADDRESS, 0o1101 | 3 * HIGH, 0o2644 | 3 * HIGH), EPERM),
        ("openat", (-100, ADDRESS, 0o20200002, 0o4600), EPERM),  # O_TMPFILE
        ("openat2", (-100, ADDRESS, ADDRESS, 24), ENOSYS),
        ("memfd_create", (ADDRESS, 1), EPERM),
        ("execveat", (4, ADDRESS, ADDRESS, ADDRESS, 0x1000), ENOSYS),
    ],
)
def test_arguments(machine: str, name: str, arguments: Sequence[int], expected: int) -> None:
    assert verdict(machine, name, *arguments) == expected


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("open", (ADDRESS, 0, 0o4644), bpf.ALLOW),
        ("open", (ADDRESS, 0o101, 0o644), bpf.ALLOW),
        ("open", (ADDRESS, 0o101, 0o4644), EPERM),
        ("creat", (ADDRESS, 0o644), bpf.ALLOW),
        ("creat", (ADDRESS, 0o4644), EPERM),
        ("chmod", (ADDRESS, 0o644), bpf.ALLOW),
        ("chmod", (ADDRESS, 0o2644), EPERM),
        ("mknod", (ADDRESS, 0o104755, 0), EPERM),
        ("arch_prctl", (0x1002, ADDRESS), bpf.ALLOW),
        ("arch_prctl", (0x1012, 0), EPERM),  # ARCH_SET_CPUID
    ],
)
def test_arguments_of_calls_that_only_one_machine_has(name: str, arguments: Sequence[int], expected: int) -> None:
    assert verdict("x86_64", name, *arguments) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_for_another_architecture_kill(machine: str) -> None:
    for name, architecture in bpf.ARCHITECTURES.items():
        if name != machine:
            for number in (0, 1, 63, 64, 200, 0x4000_0001):
                assert bpf.evaluate(PROGRAMS[machine], architecture, number) == bpf.KILL
    assert bpf.evaluate(PROGRAMS[machine], 0, 1) == bpf.KILL


@pytest.mark.parametrize("number", [0, 1, 39, 59, 513, 520, 547])
def test_calls_of_x32_kill(number: int) -> None:
    assert bpf.evaluate(PROGRAMS["x86_64"], bpf.ARCHITECTURES["x86_64"], 0x4000_0000 | number) == bpf.KILL


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("number", [400, 471, 472, 500, 1023, 1024, 100_000, 0x3FFF_FFFF, 0x8000_0000])
def test_unknown_calls_answer_as_if_the_kernel_did_not_know_them(machine: str, number: int) -> None:
    assert bpf.evaluate(PROGRAMS[machine], bpf.ARCHITECTURES[machine], number) == ENOSYS


WORDS = st.integers(0, (1 << 64) - 1)
ARGUMENTS = st.lists(
    st.one_of(
        WORDS,
        st.integers(0, 0o7777),
        st.integers(0, 63).map(lambda bit: 1 << bit),
        st.tuples(st.sampled_from([0, 1, 17, 0x5401, 0x5412, 15, 0o644]), st.integers(0, 3)).map(
            lambda pair: pair[0] | pair[1] << 32
        ),
    ),
    min_size=6,
    max_size=6,
)
NUMBERS = st.one_of(st.integers(0, 480), st.integers(0, (1 << 32) - 1))


def expected_of(machine: str, number: int, arguments: Sequence[int]) -> int:
    """What the tables say, worked out without the filter."""
    for call, answer in REFUSED_CALLS:
        if call.number(machine) == number:
            return bpf.errno(answer.value)
    for call in PERMITTED_CALLS:
        if call.number(machine) != number:
            continue
        for test in call.tests:
            value = arguments[test.argument]
            if isinstance(test, OneOf):
                holds = value % HIGH & ~test.ignoring in test.values.values()
            else:
                applies = test.when is None or arguments[test.when[0]] & test.when[1]
                holds = not applies or not value & test.mask
            if not holds:
                return bpf.errno(call.answer.value)
        return bpf.ALLOW
    return bpf.KILL if machine == "x86_64" and number & 0x4000_0000 else ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
@settings(deadline=None)
@given(number=NUMBERS, arguments=ARGUMENTS)
def test_the_filter_is_the_tables(machine: str, number: int, arguments: list[int]) -> None:
    found = bpf.evaluate(PROGRAMS[machine], bpf.ARCHITECTURES[machine], number, arguments)
    assert found == expected_of(machine, number, arguments)


@pytest.mark.parametrize("machine", MACHINES)
@settings(deadline=None)
@given(architecture=st.integers(0, HIGH - 1), number=NUMBERS, arguments=ARGUMENTS)
def test_nothing_outside_the_table_is_ever_permitted(
    machine: str, architecture: int, number: int, arguments: list[int]
) -> None:
    permitted = {call.number(machine) for call in PERMITTED_CALLS}
    found = bpf.evaluate(PROGRAMS[machine], architecture, number, arguments)
    assert found != bpf.ALLOW or (architecture == bpf.ARCHITECTURES[machine] and number in permitted)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_path_stays_in_the_program_and_ends_in_a_verdict(machine: str) -> None:
    code = bpf.decode(PROGRAMS[machine])
    assert len(code) < 1024  # the kernel takes 4096
    for at, (operation, if_true, if_false, constant) in enumerate(code):
        match operation:
            case bpf.RETURN:
                continue
            case bpf.LOAD:
                assert constant % 4 == 0
                assert constant < 64
                following = [at + 1]
            case bpf.AND:
                following = [at + 1]
            case bpf.JUMP:
                following = [at + 1 + constant]
            case _:
                assert operation in {bpf.JUMP_EQUAL, bpf.JUMP_NOT_LESS, bpf.JUMP_ANY_BIT}
                following = [at + 1 + if_true, at + 1 + if_false]
        assert all(place < len(code) for place in following)


def test_a_machine_without_a_filter_is_told() -> None:
    with pytest.raises(UnsupportedMachineError, match="riscv64"):
        program("riscv64")


def test_the_tables_name_each_call_and_each_number_once() -> None:
    assert len(CALLS) == len(PERMITTED_CALLS) + len(REFUSED_CALLS)
    for machine in MACHINES:
        numbers = [call.number(machine) for call in CALLS.values() if has(call, machine)]
        assert len(set(numbers)) == len(numbers)
    assert all(call.x86_64 is not None or call.aarch64 is not None for call in CALLS.values())


def _header(path: str) -> dict[str, int]:
    """The numbers that a header of the kernel defines, under the names of 64-bit machines."""
    if not Path(path).exists():
        pytest.skip(f"{path} is not installed")
    defined = dict(re.findall(r"#define __NR(\w+)\s+(\w+)", Path(path).read_text()))
    found = {}
    for name, value in defined.items():
        number = defined.get(value.removeprefix("__NR"), value)
        if name.startswith("_") and number.isdigit():
            found[name[1:]] = int(number)
    return found


def test_numbers_of_x86_64_are_those_of_the_kernel_and_none_is_left_out() -> None:
    for name, number in _header("/usr/include/x86_64-linux-gnu/asm/unistd_64.h").items():
        assert name in CALLS or number > 470
        if name in CALLS:
            assert CALLS[name].x86_64 == number, name


def test_numbers_of_aarch64_are_those_of_the_kernel() -> None:
    header = _header("/usr/include/asm-generic/unistd.h")
    compared = [(CALLS[name], number) for name, number in header.items() if name in CALLS]
    assert len(compared) > 250
    for call, number in compared:
        assert call.aarch64 == number, call.name


IN_FORCE = """
import ctypes, json, mmap, os, platform, signal, socket, stat, subprocess, sys, threading
from tests.sandbox.filtered import install

install()
libc = ctypes.CDLL(None, use_errno=True)
numbers = json.loads(sys.argv[1])

def call(name, *arguments):
    ctypes.set_errno(0)
    words = [word if isinstance(word, bytes) else ctypes.c_ulong(word & (1 << 64) - 1) for word in arguments]
    return 0 if libc.syscall(ctypes.c_long(numbers[name]), *words) >= 0 else ctypes.get_errno()

def attempt(action):
    try:
        action()
    except OSError as error:
        return error.errno
    return 0

open("file", "w").close()
datagrams = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
listening = b"\\x01\\x00" + b"/somewhere"
found = {
    "socket": attempt(lambda: socket.socket(socket.AF_INET)),
    "unix socket": attempt(lambda: socket.socket(socket.AF_UNIX)),
    "ptrace": call("ptrace", 0, 0, 0, 0),
    "unshare": call("unshare", 0x1000_0000),
    "clone of a user namespace": call("clone", 0x1000_0011, 0, 0, 0, 0),
    "clone3": call("clone3", 0, 0),
    "openat2": call("openat2", 0, 0, 0, 0),
    "execveat": call("execveat", 0, 0, 0, 0, 0),
    "bpf": call("bpf", 0, 0, 0),
    "io_uring": call("io_uring_setup", 0, 0),
    "keyctl": call("keyctl", 0, 0),
    "userfaultfd": call("userfaultfd", 0),
    "memfd": attempt(lambda: os.memfd_create("x")),
    "personality": call("personality", 0x0004_0000),
    "its question": call("personality", 0xFFFF_FFFF),
    "fifo": attempt(lambda: os.mkfifo("fifo")),
    "setuid": attempt(lambda: os.chmod("file", 0o4755)),
    "chmod": attempt(lambda: os.chmod("file", 0o750)),
    "setgid": attempt(lambda: os.open("new", os.O_CREAT | os.O_WRONLY, 0o2755)),
    "chown": attempt(lambda: os.chown("file", -1, -1)),
    "xattr": attempt(lambda: os.setxattr("file", "user.x", b"x")),
    "limits of another": call("prlimit64", os.getppid(), 7, 0, 0),
    "typing": call("ioctl", 1, 0x5412 | 1 << 32, b"x"),
    "message with an address": call("sendto", datagrams[0].fileno(), b"x", 1, 0, listening, len(listening)),
    "descriptors": attempt(lambda: socket.send_fds(datagrams[0], [b"x"], [0])),
    "filter": call("seccomp", 1, 0, 0),
    "unknown": ctypes.get_errno() if libc.syscall(900) < 0 else 0,
}

left, right = socket.socketpair()
left.sendall(b"over a pair")
found["pair"] = right.recv(100).decode()
ran = []
threads = [threading.Thread(target=ran.append, args=(None,)) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
found["threads"] = f"{len(ran)} ran"
found["program"] = subprocess.run(["sh", "-c", "echo from a program | cat"], capture_output=True, text=True).stdout

def ends(action):
    child = os.fork()
    if child == 0:
        action()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def int80():
    everything = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=everything)
    page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")  # mov eax, 20; int 0x80; ret: getpid
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()

found["fork"] = "ended" if ends(lambda: None) == 0 else "failed"
if platform.machine() == "x86_64":
    found["32-bit call"] = ends(int80)
    found["x32 call"] = ends(lambda: libc.syscall(0x4000_0000 | 39))
print(json.dumps(found))
"""

IN_FORCE_FOUND = {
    "socket": "EPERM",
    "unix socket": "EPERM",
    "ptrace": "EPERM",
    "unshare": "EPERM",
    "clone of a user namespace": "EPERM",
    "clone3": "ENOSYS",
    "openat2": "ENOSYS",
    "execveat": "ENOSYS",
    "bpf": "EPERM",
    "io_uring": "EPERM",
    "keyctl": "EPERM",
    "userfaultfd": "EPERM",
    "memfd": "EPERM",
    "personality": "EPERM",
    "its question": 0,
    "fifo": "EPERM",
    "setuid": "EPERM",
    "chmod": 0,
    "setgid": "EPERM",
    "chown": "EPERM",
    "xattr": "EOPNOTSUPP",
    "limits of another": "EPERM",
    "typing": "ENOTTY",
    "message with an address": "EPERM",
    "descriptors": "EPERM",
    "filter": "EPERM",
    "unknown": "ENOSYS",
    "pair": "over a pair",
    "threads": "3 ran",
    "program": "from a program\n",
    "fork": "ended",
}


@pytest.mark.skipif(platform.machine() not in MACHINES, reason="there is no filter for this machine")
def test_in_force(tmp_path: Path) -> None:
    numbers = {name: call.number(platform.machine()) for name, call in CALLS.items() if has(call, platform.machine())}
    done = subprocess.run(
        [sys.executable, "-c", IN_FORCE, json.dumps(numbers)],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    if platform.machine() == "x86_64":
        assert found.pop("x32 call") == -signal.SIGSYS
        # A kernel that runs no 32-bit programs faults before the filter is asked.
        assert found.pop("32-bit call") in {-signal.SIGSYS, -signal.SIGSEGV}
    assert {name: Answer(value).name if value in ANSWERS else value for name, value in found.items()} == IN_FORCE_FOUND


def test_the_page_shows_the_tables() -> None:
    remedy = "run python -m tests.sandbox.syscall_page"
    assert syscall_page.PAGE.read_text(encoding="utf-8").endswith(syscall_page.tables()), remedy
