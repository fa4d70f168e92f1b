"""Scenes that make a render use what a render may use, beyond what the conformance catalogue draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SMALL = {"resolution": {"width": 160, "height": 90}, "frame_rate": 10}


@dataclass(frozen=True)
class Workload:
    """Code with one scene in it, and the fields of its spec."""

    name: str
    code: str
    options: dict[str, Any] = field(default_factory=lambda: SMALL)


def _scene(body: str, head: str = "") -> str:
    lines = "\n".join(f"        {line}" for line in body.strip().splitlines())
    return f"{head}\nfrom manim import *\n\nclass Main(Scene):\n    def construct(self):\n{lines}\n"


_SQUARE = "self.play(Create(Square()), run_time=0.3)"


def _compiled(compiler: str, extension: str) -> str:
    template = f"TexTemplate(tex_compiler={compiler!r}, output_format={extension!r}, documentclass=ARTICLE)"
    return _scene(
        f"self.add(Tex(r'$x^2$ in {compiler}', tex_template={template}))", "ARTICLE = r'\\documentclass{article}'"
    )


SUBPROCESSES = """
print(subprocess.run(["sh", "-c", "echo hello | cat; ls /; sleep 0.1; date; id; uname -a; df ."], capture_output=True))
print(subprocess.run("for i in 1 2 3; do echo $i; done > out; sed -i s/1/4/ out; sort out; wc out", shell=True))
print(subprocess.run("cp out copy; mv copy moved; rm moved; mkdir d; touch d/x; find . ; tar cf o out d", shell=True))
print(subprocess.run("tar xf o -C d; gzip o; gunzip o.gz; cp -a d e; ln -s d f; head -c 9 out | md5sum", shell=True))
print(subprocess.run(["bash", "-c", "ulimit -a; cat <(echo process substitution); wait; trap : INT; kill -INT $$"]))
print(subprocess.run(["timeout", "5", "nice", "sleep", "0.01"]))
print(subprocess.run(["perl", "-e", "print `echo perl`; sleep 0.01"]))
print(subprocess.run([sys.executable, "-c", "import numpy; print(numpy.ones(3))"]))
print(os.popen("echo popen").read(), os.system("true"))
try:
    subprocess.run(["sleep", "5"], timeout=0.1)
except subprocess.TimeoutExpired:
    pass
with subprocess.Popen(["cat"], stdin=-1, stdout=-1, start_new_session=True, close_fds=True) as cat:
    print(cat.communicate(b"x" * 200_000)[0][:5])
"""

PROCESSES = """
def work():
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(pool.map(math.sqrt, range(50)))
    for how in ("fork", "spawn"):
        context = multiprocessing.get_context(how)
        queue, lock = context.Queue(), context.Lock()
        process = context.Process(target=os.getpid)
        process.start()
        process.join()
        queue.put([1, 2])
        with lock:
            print(queue.get())
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        print(list(pool.map(abs, range(-3, 3))))
    here, there = multiprocessing.Pipe()
    here.send("over a pair of sockets")
    print(there.recv())
    block = shared_memory.SharedMemory(create=True, size=100_000)
    block.buf[:3] = b"abc"
    block.close()
    block.unlink()
    print(multiprocessing.Value("i", 3), multiprocessing.Array("d", 3), multiprocessing.cpu_count())
    child = os.fork()
    if child == 0:
        os._exit(3)
    print(os.waitpid(child, 0))

class Main(Scene):
    def construct(self):
        work()
        self.play(Create(Square()), run_time=0.3)
"""

THREADS = """
import queue
waiting = queue.Queue()
threads = [threading.Thread(target=lambda: waiting.put(sum(range(10_000))), name="adder") for _ in range(5)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(list(pool.map(time.sleep, [0.01] * 8)), waiting.get(timeout=1))
threading.Event().wait(0.01)
condition = threading.Condition()
with condition:
    condition.wait(0.01)

async def main():
    await asyncio.sleep(0.01)
    print(await asyncio.gather(asyncio.to_thread(time.sleep, 0.01), asyncio.sleep(0)))
    process = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
    print(await process.communicate(b"to a process"))
    process = await asyncio.create_subprocess_shell("sleep 3")
    process.terminate()
    print(await process.wait())
    async with asyncio.timeout(1):
        print(await asyncio.get_running_loop().run_in_executor(None, os.getpid))

asyncio.run(main())
signal.signal(signal.SIGALRM, lambda *_: print("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.01)
time.sleep(0.05)
signal.alarm(0)
a, b = socket.socketpair()
a.sendall(b"x")
a.settimeout(1)
print(b.recv(3), a.getsockname(), select.select([], [a], [], 0))
with selectors.DefaultSelector() as selector:
    selector.register(b, selectors.EVENT_READ)
    selector.select(0.01)
faulthandler.enable(file=open("faults", "w"))
faulthandler.dump_traceback_later(5)
faulthandler.cancel_dump_traceback_later()
"""

FILES = """
folder = Path(tempfile.mkdtemp())
(folder / "a").write_text("text")
shutil.copytree(folder, "copied")
shutil.copy2(folder / "a", "b")
shutil.move("b", "c")
shutil.make_archive("packed", "zip", "copied")
shutil.make_archive("packed", "tar", "copied")
shutil.unpack_archive("packed.tar", "unpacked")
print(shutil.disk_usage("."), shutil.which("latex"), os.statvfs("."))
os.symlink("c", "d"); os.link("c", "e"); os.chmod("c", 0o600); os.utime("c"); os.truncate("c", 2)
os.replace("e", "f"); os.rename("f", "g"); os.unlink("g"); os.makedirs("x/y"); os.removedirs("x/y")
print(sorted(Path().rglob("*"))[:3], list(os.scandir("."))[:1], os.access("c", os.W_OK), os.readlink("d"))
with open("big", "w+b") as file:
    file.truncate(1 << 20)
    os.posix_fallocate(file.fileno(), 0, 1 << 20)
    fcntl.flock(file, fcntl.LOCK_EX)
    fcntl.lockf(file, fcntl.LOCK_UN)
    os.fsync(file.fileno())
    with mmap.mmap(file.fileno(), 0) as mapped:
        mapped[:3] = b"abc"
        mapped.flush()
    os.pread(file.fileno(), 3, 0); os.pwrite(file.fileno(), b"x", 1)
    os.readv(file.fileno(), [bytearray(3)]); os.writev(file.fileno(), [b"abc"])
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
with tempfile.TemporaryFile() as file, tempfile.NamedTemporaryFile() as other:
    file.write(b"x")
with sqlite3.connect("data.db") as database:
    database.execute("create table t (x)")
    database.execute("insert into t values (1)")
np.save("array.npy", np.ones((100, 100)))
print(np.load("array.npy", mmap_mode="r").sum(), np.random.default_rng().random(), uuid.uuid4(), secrets.token_hex())
print(platform.uname(), os.getloadavg(), os.cpu_count(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(getpass.getuser(), time.strftime("%H"), os.times(), resource.getrlimit(resource.RLIMIT_NOFILE), os.nice(0))
"""

LIBRARIES = """
import matplotlib
matplotlib.use("Agg")
from matplotlib import pyplot
import scipy.linalg, scipy.optimize, scipy.integrate
import PIL.Image
figure = pyplot.figure()
pyplot.plot([1, 3, 2])
figure.savefig("plot.png")
self.add(ImageMobject("plot.png"))
print(scipy.linalg.inv(np.random.rand(300, 300)).shape, (np.random.rand(500, 500) @ np.random.rand(500, 500)).shape)
print(scipy.optimize.minimize(lambda x: (x - 1) ** 2, 0).x, scipy.integrate.quad(np.sin, 0, 1))
import ctypes
callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: x + 1)
print(callback(3))
"""

SOUND = """
import struct, wave
with wave.open("tone.wav", "wb") as file:
    file.setparams((1, 2, 22050, 0, "NONE", ""))
    file.writeframes(b"".join(struct.pack("<h", int(9000 * np.sin(i / 9))) for i in range(11025)))
self.add_sound("tone.wav")
self.play(Create(Square()), run_time=0.3)
self.add_sound("tone.wav", time_offset=0.1, gain=-3)
self.wait(0.3)
"""

LETTERS = """
self.add(Text("Text, 文字, نص, हिन्दी", font="Noto Sans"), MarkupText("<b>bold</b> <i>it</i>").shift(DOWN))
self.add(Code(code_string="print(1)", language="python").shift(UP))
self.play(Write(Text("hello", font="DejaVu Sans Mono")), run_time=0.3)
"""

_HEAD = """
import asyncio, concurrent.futures, faulthandler, fcntl, getpass, math, mmap, multiprocessing, os, platform, resource
import secrets, select, selectors, shutil, signal, socket, sqlite3, subprocess, sys, tempfile, threading, time, uuid
from multiprocessing import shared_memory
from pathlib import Path
"""

WORKLOADS = (
    *(
        Workload(f"format {name}", _scene(f"self.add(NumberPlane())\n{_SQUARE}\nself.wait(0.3)"), {**SMALL, **options})
        for name, options in {
            "mp4": {},
            "mp4 in parts": {"save_sections": True, "encoder_preset": "slow"},
            "mp4 large": {"resolution": {"width": 1920, "height": 1080}},
            "webm": {"format": "webm"},
            "webm transparent": {"format": "webm", "transparent": True},
            "mov": {"format": "mov"},
            "mov transparent": {"format": "mov", "transparent": True},
            "gif": {"format": "gif"},
            "png": {"format": "png"},
        }.items()
    ),
    Workload("opengl", _scene(_SQUARE + "\nself.wait(0.2)"), {**SMALL, "engine": "opengl"}),
    Workload("latex", _compiled("latex", ".dvi")),
    Workload("pdflatex", _compiled("pdflatex", ".pdf")),
    Workload("lualatex", _compiled("lualatex", ".pdf")),
    Workload("luatex dvi", _compiled("lualatex", ".dvi")),
    Workload("xelatex", _compiled("xelatex", ".xdv")),
    Workload("postscript in latex", _scene(r"self.add(Tex(r'\special{ps: 0 0 moveto 50 50 lineto stroke} x'))")),
    Workload("typst", _scene("self.play(Write(Typst('*bold* and $x^2$')), run_time=0.3)")),
    Workload("letters", _scene(LETTERS)),
    Workload("sound", _scene(SOUND)),
    Workload("libraries", _scene(LIBRARIES)),
    Workload("files", _scene(FILES + _SQUARE, _HEAD)),
    Workload("programs", _scene(SUBPROCESSES + _SQUARE, _HEAD)),
    Workload("processes", f"{_HEAD}from manim import *\n{PROCESSES}"),
    Workload("threads", _scene(THREADS + _SQUARE, _HEAD)),
    Workload("out of memory", _scene("import resource\nx = bytearray(1 << 50)")),
    Workload("an error", _scene("Tex(r'\\nothing')")),
)
