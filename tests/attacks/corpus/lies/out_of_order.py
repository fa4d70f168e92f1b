"""Says things in an order that makes no sense.

A state that nobody thought of is where assertions fail.
"""

EXPECT = "forbidden"
BARE = "forbidden"

PLAYING = {"type": "playing", "kind": "Create", "duration": 1}
PROGRESS = {"type": "progress"}
STARTED = {"type": "started", "scene": "S", "width": 1, "height": 1, "frame_rate": 1}


def playing(index):
    return {"type": "playing", "index": index, "kind": "Create", "duration": 1}


def progress(index, frames):
    progress = {"animation_index": index, "animation_percent": 1, "frames_done": frames}
    return {"type": "progress", "progress": progress}


TALES = {
    "hello twice": [{"type": "hello", "version": 2}],
    "hello of another version": [{"type": "hello", "version": 99}],
    "started twice": [STARTED],
    "an animation left out": [playing(1)],
    "the same animation again": [playing(0), playing(0)],
    "backwards": [playing(0), progress(0, 10), progress(0, 9)],
    "progress of another animation": [playing(0), progress(5, 1)],
    "progress before any": [progress(0, 1)],
}


def attack(target):
    target.say(*TALES[target.step])


def drive(host):
    for step in TALES:
        if host.render(step=step).outcome != "forbidden":
            return f"{step}: {host.answers[-1].outcome}"
