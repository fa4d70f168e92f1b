"""Writes random scenes, the same ones for the same seed, from the words in ``words.py``.

It keeps track of what is on the stage, so that most scenes make sense and most of their plays move something; a few
deliberately do not (a mobject in two animations at once, one that was removed before).
"""

from __future__ import annotations

import random
import string

from tests.conformance.fuzz import words
from tests.conformance.fuzz.program import Program, Statement

BASES = ("Scene", "Scene", "Scene", "MovingCameraScene", "ThreeDScene")


def compose(seed: int) -> Program:
    """Return the scene of ``seed``."""
    return _Composer(seed).program()


class _Composer:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.seed = seed
        self.base = self.random.choice(BASES)
        self.statements: list[Statement] = []
        self.counts: dict[str, int] = {}
        self.vector: list[str] = []  # on the stage, made of curves
        self.other: list[str] = []  # on the stage, or not of curves
        self.waiting: list[tuple[str, bool]] = []  # made, but not on the stage; whether it is made of curves
        self.trackers: list[str] = []
        self.seconds = 0.0

    def program(self) -> Program:
        """Compose it."""
        for _ in range(self.random.randint(1, 3)):
            self.make()
        if self.base == "ThreeDScene" and self.chance(0.8):
            self.say("self.set_camera_orientation(phi={a} * DEGREES, theta=-{a} * DEGREES)", a=self.number(10, 80))
        steps = [(self.play, 10), (self.make, 5), (self.wait, 3), (self.change, 3), (self.redraw, 1.5)]
        steps += [(self.update, 2), (self.stage, 1.5), (self.section, 0.5), (self.camera, 2), (self.odd, 1)]
        for _ in range(self.random.randint(4, 11)):
            if self.seconds > 4:
                break
            self.random.choices([step for step, _ in steps], [weight for _, weight in steps])[0]()
        self.say("self.wait(0.1)")  # else what happened since the last play would not be drawn
        return Program(self.base, tuple(self.statements), f"Composed from seed {self.seed}.")

    # ------------------------------------------------------------------------------------------------- statements

    def make(self) -> None:
        """Make a mobject, and often put it on the stage."""
        kinds = [(words.SHAPES, "shape", 6), (words.TEXTS, "text", 2.5), (words.COMPOUNDS, "group", 3)]
        kinds += [(words.PICTURES, "image", 0.8), (words.FORMULAS, "formula", 0.2)]
        if self.base == "ThreeDScene":
            kinds.append((words.SOLIDS, "solid", 6))
        pool, kind, _ = self.random.choices(kinds, [weight for *_, weight in kinds])[0]
        name = self.name(kind)
        self.say(f"{name} = " + self.fill(self.random.choice(pool)))
        vector = kind != "image"
        if vector and kind != "solid":
            for _ in range(self.random.randint(0, 2)):
                self.say(f"{name}." + self.fill(self.random.choice(words.STYLES)))
        elif self.chance(0.5):
            self.say(self.fill(f"{name}.shift([{{x}} / 2, {{y}} / 2, 0])"))
        if self.base == "ThreeDScene" and kind == "text" and self.chance(0.5):
            self.say(f"self.add_fixed_in_frame_mobjects({name})")
            self.vector.append(name)
        elif self.chance(0.35):
            self.say(f"self.add({name})")
            (self.vector if vector else self.other).append(name)
        else:
            self.waiting.append((name, vector))

    def play(self) -> None:
        """Play one or more animations."""
        if not (self.waiting or self.vector or self.other):
            self.make()
        animations = [self.animation() for _ in range(self.random.choices((1, 2, 3, 5), (5, 3, 2, 1))[0])]
        options = []
        if self.chance(0.85):
            seconds = self.number(0.1, 0.9)
            options.append(f"run_time={seconds}")
            self.seconds += float(seconds)
        else:
            self.seconds += 1
        if self.chance(0.25):
            options.append(f"rate_func={self.random.choice(words.RATES)}")
        if self.chance(0.1):
            options.append(f"lag_ratio={self.number(0, 1)}")
        if self.chance(0.05):
            options.append("subcaption='Said'")
        tail = "".join(f", {option}" for option in options)
        self.statements.append(Statement(f"self.play({{parts}}{tail})", tuple(animations)))

    def wait(self) -> None:
        """Wait, in one of the ways there are."""
        tracker = self.random.choice(self.trackers) if self.trackers else None
        ways = ["self.wait({t})", "self.wait({t})", "self.wait({t}, frozen_frame=False)", "self.pause({t})"]
        ways += ["self.wait(0.7, stop_condition=lambda: self.time > 1)", "self.play(Wait({t}))", "self.wait(1 / 30)"]
        if tracker:
            ways.append(f"self.wait_until(lambda: {tracker}.get_value() > 1, max_time=0.5)")
        self.say(self.fill(self.random.choice(ways)))
        self.seconds += 0.5

    def change(self) -> None:
        """Change something between two plays."""
        name = self.anyone(vector_only=True)
        if name is None:
            return self.make()
        choice = self.random.random()
        if choice < 0.6:
            self.say(f"{name}." + self.fill(self.random.choice(words.STYLES)))
        elif choice < 0.75:
            self.say(self.fill(f"{name}.become({{new}})"))
        elif choice < 0.85:
            self.say(f"{name}.save_state()")
            self.say(self.fill(f"{name}.shift([{{x}} / 2, 0, 0]).set_color({{c}})"))
            self.say(f"self.play(Restore({name}), run_time=0.4)")
            self.seconds += 0.4
        else:
            self.say(f"{name}.generate_target().shift(UP).scale(0.7)")
            self.say(f"self.play(MoveToTarget({name}), run_time=0.3)")
            self.seconds += 0.3
        return None

    def redraw(self) -> None:
        """Add something that is drawn anew for each frame, or leaves a trace."""
        tracker = self.tracker()
        name = self.name("live")
        anyone = self.anyone(vector_only=True)
        if anyone and self.chance(0.25):
            extra = self.random.choice(("", ", dissipating_time=0.3", ", stroke_color=BLUE"))
            self.say(f"{name} = TracedPath({anyone}.get_center{extra})")
        else:
            text = self.random.choice([word for word in words.REDRAWN if anyone or "{other}" not in word])
            self.say(f"{name} = always_redraw(lambda: {self.fill(text, tracker=tracker)})")
        self.say(f"self.add({name})")
        if self.chance(0.7):
            goal, seconds = self.number(-2, 3), self.number(0.3, 0.8)
            self.say(f"self.play({tracker}.animate.set_value({goal}), run_time={seconds})")
            self.seconds += float(seconds)

    def update(self) -> None:
        """Give something an updater, or take it away."""
        name = self.anyone(vector_only=True)
        if name is None:
            return self.make()
        text = self.random.choice(words.UPDATERS)
        self.say(self.fill(text, m=name, tracker=self.tracker() if "{v}" in text else None))
        if self.chance(0.1):
            self.say("self.add_updater(lambda dt: None)")
        return None

    def stage(self) -> None:
        """Put something on the stage, take it off, or change the order."""
        name = self.anyone()
        if name is None:
            return self.make()
        self.say(
            self.random.choice(
                (
                    f"self.remove({name})",
                    f"self.bring_to_back({name})",
                    f"self.bring_to_front({name})",
                    f"self.add({name}.copy().shift(0.4 * DOWN))",
                    f"self.add_foreground_mobject({name})",
                    f"self.replace({name}, Dot())" if name in self.vector else f"self.add({name})",
                    "self.clear()",
                )
            )
        )
        return None

    def section(self) -> None:
        """Begin a section, now and then one that is skipped."""
        skip = self.chance(0.3)
        self.say(f"self.next_section('part'{', skip_animations=True' if skip else ''})")
        if skip:
            self.play()
            self.say("self.next_section('drawn')")

    def camera(self) -> None:
        """Move the camera, as far as the scene has one that moves."""
        seconds = self.number(0.2, 0.7)
        if self.base == "MovingCameraScene":
            ways = ["self.camera.frame.animate.scale({f})", "self.camera.frame.animate.shift([{x} / 2, {y} / 3, 0])"]
            ways += ["self.camera.frame.animate.rotate({f} / 3)", "self.camera.frame.animate.set(width=6 * {f})"]
            anyone = self.anyone()
            if anyone and self.chance(0.3):
                ways = [f"self.camera.frame.animate.move_to({anyone})"]
            parts = [self.fill(self.random.choice(ways))]
            if self.chance(0.4):
                parts.append(self.animation())
            self.statements.append(Statement(f"self.play({{parts}}, run_time={seconds})", tuple(parts)))
        elif self.base == "ThreeDScene":
            a, b = self.number(10, 80), self.number(-90, 90)
            ways = [f"self.move_camera(phi={a} * DEGREES, theta={b} * DEGREES, run_time={seconds})"]
            ways += [f"self.move_camera(zoom={self.number(0.6, 1.5)}, run_time={seconds})"]
            ways += [f"self.begin_ambient_camera_rotation(rate={seconds})\nself.wait(0.4)"]
            ways += [f"self.begin_ambient_camera_rotation(rate={seconds})", "self.stop_ambient_camera_rotation()"]
            ways += [f"self.set_camera_orientation(theta={b} * DEGREES, gamma={seconds})"]
            self.say(self.random.choice(ways))
        else:
            self.say(self.fill("self.camera.background_color = {c}"))
        self.seconds += 0.4

    def odd(self) -> None:
        """Do what few scenes do."""
        name = self.anyone(vector_only=True) or "Square()"
        ways = [
            f"for k in range(3):\n    self.play({name}.animate.shift(0.2 * RIGHT), run_time=0.1 + 0.1 * k)",
            "for _ in range(2):\n    self.add(Dot([random.uniform(-3, 3), np.random.normal(), 0]))\n    self.wait(0.2)",
            "self.add(Square(0.3).shift(self.time * RIGHT))",
            "self.add(Dot(radius=0.1 + self.renderer.get_frame()[90, 160, 0] / 2000))",
            f"self.play(AnimationGroup(FadeIn({name})), Wait(0.3), run_time=0.2)",
            f"self.play(ChangeSpeed(AnimationGroup({name}.animate.shift(RIGHT), lag_ratio=0.2), {{0.5: 2, 1: 0.5}}))",
            "self.play(Succession(*[FadeIn(Dot(k * RIGHT)) for k in range(3)]), run_time=0.6)",
            f"self.play({name}.animate(run_time=0.3).rotate(1), Create(Circle(0.3), run_time=0.6))",
            f"{name}.set_z_index({self.random.randint(-1, 3)})" if name != "Square()" else "self.wait(0.2)",
            "def glow(mobject):\n    return mobject.copy().set_stroke(width=9, opacity=0.3)\nself.add(glow(Circle()))",
            "self.play(Create(Line(ORIGIN, random.uniform(1, 3) * UP)), run_time=0.2)",
        ]
        self.say(self.random.choice(ways))
        self.seconds += 0.4

    # ------------------------------------------------------------------------------------------------- animations

    def animation(self, depth: int = 0) -> str:
        """Return an animation, or a group of them."""
        if depth < 2 and self.chance(0.18):
            inner = ", ".join(self.animation(depth + 1) for _ in range(self.random.randint(2, 3)))
            group = self.random.choice(("AnimationGroup", "LaggedStart", "Succession"))
            lag = f", lag_ratio={self.number(0, 1)}" if group != "Succession" and self.chance(0.7) else ""
            return f"{group}({inner}{lag})"
        if self.trackers and self.chance(0.12):
            tracker = self.random.choice(self.trackers)
            return f"{tracker}.animate.{self.random.choice(('increment_value', 'set_value'))}({self.number(-2, 2)})"
        if self.waiting and (self.chance(0.6) or not (self.vector or self.other)):
            name, vector = self.waiting.pop(self.random.randrange(len(self.waiting)))
            (self.vector if vector else self.other).append(name)
            if name.startswith("text") and self.chance(0.2):
                return f"LaggedStartMap(FadeIn, {name}, lag_ratio=0.2)"
            pool = words.ENTRANCES if vector and not name.startswith("solid") else words.FOR_ANYTHING
            return self.fill(self.random.choice(pool), m=name)
        known = self.anyone()
        if known is None:
            return self.fill("Create({new})")
        curves = known in self.vector and not known.startswith("solid")
        if self.chance(0.12):
            stage = self.vector if known in self.vector else self.other
            if self.chance(0.85):
                stage.remove(known)
            return self.fill(self.random.choice(words.EXITS + (words.VECTOR_EXITS if curves else ())), m=known)
        return self.fill(self.random.choice(words.CHANGES + (words.VECTOR_CHANGES * 2 if curves else ())), m=known)

    # ------------------------------------------------------------------------------------------------------ words

    def say(self, text: str, **values: object) -> None:
        """Add a statement."""
        for key, value in values.items():
            text = text.replace("{" + key + "}", str(value))
        self.statements.append(Statement(text))

    def fill(self, template: str, *, m: str | None = None, tracker: str | None = None) -> str:
        """Return ``template`` with its fields filled in, each time differently."""
        filled = []
        for literal, field, _, _ in string.Formatter().parse(template):
            filled.append(literal)
            if field is not None:
                filled.append(m if field == "m" and m else tracker if field == "v" and tracker else self.value(field))
        return "".join(filled)

    def value(self, field: str) -> str:
        """Return something for a field of a template."""
        match field:
            case "x":
                return self.number(-5, 5)
            case "y":
                return self.number(-3, 3)
            case "f":
                return self.number(0.4, 1.7)
            case "t":
                return self.number(0.1, 0.8)
            case "n":
                return str(self.random.randint(1, 4))
            case "c":
                return self.random.choice(words.COLORS)
            case "rate":
                return self.random.choice(words.RATES)
            case "new":
                return self.fill(self.random.choice(words.SHAPES)) + self.fill(".shift([{x} / 2, {y} / 2, 0])")
            case "v":
                return self.tracker()
            case "other":
                return self.anyone(vector_only=True) or "Dot()"
        raise KeyError(field)

    def tracker(self) -> str:
        """Return a value tracker, an old one or a new one."""
        if self.trackers and self.chance(0.6):
            return self.random.choice(self.trackers)
        name = self.name("value")
        self.say(f"{name} = ValueTracker({self.number(-1, 1)})")
        self.trackers.append(name)
        return name

    def anyone(self, *, vector_only: bool = False) -> str | None:
        """Return something that is on the stage."""
        known = [name for name in self.vector if not name.startswith("solid")] if vector_only else self.vector
        known = known if vector_only else known + self.other
        return self.random.choice(known) if known else None

    def name(self, kind: str) -> str:
        """Return a name that was not used yet."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return f"{kind}_{self.counts[kind]}"

    def number(self, low: float, high: float) -> str:
        """Return a number with at most two decimals."""
        return f"{self.random.uniform(low, high):.2f}"

    def chance(self, probability: float) -> bool:
        """Return whether something happens."""
        return self.random.random() < probability
