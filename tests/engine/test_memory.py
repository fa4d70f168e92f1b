"""Memory: what is freed and not given back, and what a limit leaves."""

from __future__ import annotations

from pathlib import Path

from tests.engine.in_child import in_child

MIB = 1 << 20


def test_what_is_free_is_given_back_before_a_fork(tmp_path: Path) -> None:
    before, held, after = in_child(
        tmp_path,
        """
import resource
from manimcast.engine.forking import fork

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

before = resident()
blocks = [bytearray(100_000) for _ in range(3000)]  # less than what malloc asks the system for by itself
kept = blocks[::100]  # so nothing of it is at the end of the heap
del blocks
held = resident()
pid, reader, writer = fork()
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
answer([before, held, resident()])
""",
    )
    assert held - before > 200 * MIB
    assert after - before < 60 * MIB


def test_what_an_encoder_frees_is_there_for_the_next(tmp_path: Path) -> None:
    first, again = in_child(
        tmp_path,
        """
import resource
from manimcast.engine import memory

memory.keep()

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [bytearray(b"x" * 2_000_000) for _ in range(20)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

answer([faults(), faults()])
""",
    )
    assert first > 9000
    assert again < 1000


def test_a_process_without_a_limit_is_never_short_and_one_at_its_limit_is(tmp_path: Path) -> None:
    found = in_child(
        tmp_path,
        """
import resource
from manimcast.engine import memory

found = [memory.is_short()]
mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
for more in (1 << 30, 64 << 20):
    resource.setrlimit(resource.RLIMIT_AS, (mapped + more, resource.RLIM_INFINITY))
    found.append(memory.is_short())
answer(found)
""",
    )
    assert found == [False, False, True]
