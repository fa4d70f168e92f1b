"""Which TeX is prepared: what Manim's own classes typeset without being asked, and what scenes ask for most.

Each expression is made by the class that a scene would use, so that the document is the same to the letter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from manim import (
    PI,
    Axes,
    BarChart,
    BulletedList,
    ComplexPlane,
    DecimalMatrix,
    DecimalNumber,
    DecimalTable,
    Integer,
    IntegerMatrix,
    IntegerTable,
    LogBase,
    MathTex,
    Matrix,
    NumberLine,
    NumberPlane,
    PolarPlane,
    Tex,
    ThreeDAxes,
    Variable,
    get_det_text,
)

LOWER = "abcdefghijklmnopqrstuvwxyz"
GREEK = (
    r"\alpha \beta \gamma \delta \epsilon \varepsilon \zeta \eta \theta \vartheta \iota \kappa \lambda \mu \nu \xi \pi "
    r"\rho \sigma \tau \upsilon \phi \varphi \chi \psi \omega "
    r"\Gamma \Delta \Theta \Lambda \Xi \Pi \Sigma \Upsilon \Phi \Psi \Omega"
)
OPERATORS = (
    r"+ - = / * < > ( ) [ ] | ! ? : ; , . ' \{ \} \cdot \times \div \pm \mp \neq \ne \leq \le \geq \ge \approx \equiv "
    r"\sim \cong \propto \ll \gg \to \rightarrow \leftarrow \leftrightarrow \Rightarrow \Leftarrow \Leftrightarrow "
    r"\implies \iff \mapsto \uparrow \downarrow \in \notin \subset \subseteq \supset \cup \cap \setminus \emptyset "
    r"\varnothing \forall \exists \neg \land \lor \wedge \vee \oplus \otimes \circ \bullet \star \infty \partial "
    r"\nabla \int \oint \sum \prod \perp \parallel \angle \triangle \dots \ldots \cdots \vdots \ddots \ell "
    r"\hbar \Re \Im \aleph \dagger \langle \rangle \% \checkmark \square \therefore \because ... == += ++ --"
)
FUNCTIONS = r"\sin \cos \tan \cot \sec \csc \arcsin \arccos \arctan \sinh \cosh \tanh \ln \log \exp \lim \max \min \det"
UNITS = (
    r"i \% ^\circ ^{\circ} ^2 ^3 \pi m s kg g cm mm km \text{m} \text{s} \text{kg} \text{cm} \text{km} \text{Hz} "
    r"\text{V} \text{A} \text{N} \text{J} \text{W} ^{\circ}\text{C} x"
)
PI_MULTIPLES = (
    r"2\pi 3\pi 4\pi -\pi -2\pi \frac{\pi}{2} \frac{\pi}{3} \frac{\pi}{4} \frac{\pi}{6} \frac{\pi}{8} \frac{2\pi}{3} "
    r"\frac{3\pi}{2} \frac{3\pi}{4} \frac{5\pi}{4} \frac{5\pi}{6} \frac{7\pi}{4} \frac{7\pi}{6} \frac{4\pi}{3} "
    r"\frac{5\pi}{3} \frac{11\pi}{6} -\frac{\pi}{2} -\frac{3\pi}{2} \pi/2 \pi/4 3\pi/2 \tau "
    r"\frac{\tau}{2} \frac{\tau}{4}"
)
FRACTIONS = (
    r"\frac{1}{2} \frac{1}{3} \frac{2}{3} \frac{1}{4} \frac{3}{4} \frac{1}{5} \frac{1}{6} \frac{1}{8} \frac{1}{10} "
    r"\frac{1}{n} \frac{1}{x} \frac{a}{b} \frac{dy}{dx} \frac{d}{dx} \frac{df}{dx} \sqrt{2} \sqrt{3} \sqrt{5} \sqrt{x}"
)
NAMED = (
    r"x^2 x^3 x^n y^2 z^2 a^2 b^2 c^2 r^2 n^2 e^x e^{x} e^{-x} e^{i\pi} e^{ix} 2^n 2^x "
    r"f(x) g(x) h(x) f'(x) f''(x) f(t) f(a) f(b) P(x) P(A) P(B) y=x y=x^2 y=f(x) f(x)=x^2 f(x)=x "
    r"\sin(x) \cos(x) \tan(x) \ln(x) \log(x) |x| n! dx dy dt \Delta \Delta{x} \Delta{y} \Delta{t} "
    r"\vec{v} \vec{u} \vec{w} \vec{a} \vec{b} \vec{F} \hat{i} \hat{j} \hat{k} \hat{\imath} \hat{\jmath} "
    r"\mathbf{v} \mathbf{A} \mathbb{R} \mathbb{N} \mathbb{Z} \mathbb{Q} \mathbb{C} \mathbb{R}^2 \mathbb{R}^3 "
    r"\mathcal{O} O(1) O(n) O(n^2) O(\log{n}) 90^\circ 45^\circ 30^\circ 60^\circ 180^\circ 360^\circ 90^{\circ} "
    r"180^{\circ} 360^{\circ}"
)
FORMULAS = (
    r"f(x) = x^2",
    r"f(x) = x",
    r"f(x) = \sin(x)",
    r"y = x",
    r"y = x^2",
    r"y = mx + b",
    r"y = f(x)",
    r"y = \sin(x)",
    r"a^2 + b^2 = c^2",
    r"(a + b)^2 = a^2 + 2ab + b^2",
    r"E = mc^2",
    r"F = ma",
    r"e^{i\pi} + 1 = 0",
    r"e^{i \pi} + 1 = 0",
    r"e^{i\pi} = -1",
    r"e^{ix} = \cos x + i \sin x",
    r"e^{i\theta} = \cos\theta + i\sin\theta",
    r"A = \pi r^2",
    r"C = 2\pi r",
    r"V = \frac{4}{3}\pi r^3",
    r"\pi r^2",
    r"2\pi r",
    r"\sin x",
    r"\cos x",
    r"\tan x",
    r"\ln x",
    r"\sin \theta",
    r"\cos \theta",
    r"\sin(\theta)",
    r"\cos(\theta)",
    r"\sin^2(x) + \cos^2(x) = 1",
    r"\sin^2\theta + \cos^2\theta = 1",
    r"ax^2 + bx + c = 0",
    r"x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}",
    r"\frac{\Delta y}{\Delta x}",
    r"\Delta x",
    r"\Delta y",
    r"\Delta t",
    r"\frac{d}{dx} x^2 = 2x",
    r"f'(x) = 2x",
    r"\int_a^b f(x) \, dx",
    r"\int_a^b f(x)\,dx",
    r"\int_{a}^{b} f(x) \, dx",
    r"\int_a^b f(x) dx",
    r"\lim_{h \to 0} \frac{f(x+h) - f(x)}{h}",
    r"f'(x) = \lim_{h \to 0} \frac{f(x+h) - f(x)}{h}",
    r"\sum_{n=1}^{\infty} \frac{1}{n^2} = \frac{\pi^2}{6}",
    r"\sum_{i=1}^{n} i = \frac{n(n+1)}{2}",
    r"\int_{-\infty}^{\infty} e^{-x^2} dx = \sqrt{\pi}",
    r"O(n \log n)",
    r"O(\log n)",
)
BRACKETS = (("[", "]", 8), ("(", ")", 6), ("|", "|", 4), (r"\{", r"\}", 4))
"""Pairs, and up to how many rows they are prepared for."""


class Common(NamedTuple):
    """Something to typeset; ``name`` is how a scene writes it."""

    name: str
    make: Callable[[], object]


def groups() -> dict[str, list[Common]]:
    """Return everything that is prepared, by kind; the expressions come before what is composed of them."""
    counted = range(-20, 101)
    decimals = [f"{sign}{tenths / 10}" for sign in ("", "-") for tenths in range(1, 50) if tenths % 10]
    subscripts = [f"{letter}_{index}" for letter in "abcfnpqrtuvwxyzAFPS" for index in (0, 1, 2)]
    subscripts += [f"{letter}_{index}" for letter in "avxy" for index in "3nij"]
    return {
        "digits": [*_each(MathTex, "0123456789+-.,i"), *_each(Tex, "0123456789+-.,"), *_counters()],
        "units": list(_units()),
        "numbers": [*_each(MathTex, counted), *_each(MathTex, decimals), *_each(Tex, range(-10, 21))],
        "letters": [*_each(MathTex, LOWER + LOWER.upper()), *_each(MathTex, subscripts)],
        "greek": _each(MathTex, GREEK.split()),
        "operators": [*_each(MathTex, OPERATORS.split()), *_each(MathTex, FUNCTIONS.split())],
        "fractions": [*_each(MathTex, PI_MULTIPLES.split()), *_each(MathTex, FRACTIONS.split())],
        "formulas": [*_each(MathTex, NAMED.split()), *_each(MathTex, FORMULAS), *_each(Tex, (r"\LaTeX", r"\TeX"))],
        "vectors": [*_each(MathTex, [rf"\vec{{\textbf{{{letter}}}}}" for letter in LOWER])],
        "brackets": list(_brackets()),
        "axes": list(_axes()),
        "tables": list(_tables()),
    }


def _each(constructor: type[MathTex], texts: Iterable[object]) -> list[Common]:
    return [Common(f"{constructor.__name__}({str(text)!r})", partial(constructor, str(text))) for text in texts]


def _counters() -> Iterator[Common]:
    yield Common("DecimalNumber", lambda: [DecimalNumber(-1234567.89), DecimalNumber(0.5, include_sign=True)])
    yield Common("DecimalNumber of a complex number", lambda: DecimalNumber(complex(1, -2)))  # type: ignore[arg-type]
    yield Common("DecimalNumber with show_ellipsis", lambda: DecimalNumber(3.14, show_ellipsis=True))
    yield Common("Integer", lambda: Integer(-9876543210))
    yield Common("Variable", lambda: Variable(1, "x"))
    yield Common("BulletedList", lambda: BulletedList("x"))


def _units() -> Iterator[Common]:
    for unit in UNITS.split():
        yield Common(f"DecimalNumber with the unit {unit!r}", partial(DecimalNumber, 0, unit=unit))
    for exponent in range(-10, 13):
        yield Common(f"LogBase, 10^{exponent}", partial(Integer, 10, unit=f"^{{{exponent}}}"))


def _brackets() -> Iterator[Common]:
    for left, right, most in BRACKETS:
        for rows in range(1, most + 1):
            make = partial(Matrix, [["0"]] * rows, left_bracket=left, right_bracket=right)
            yield Common(f"Matrix of {rows} rows in {left}{right}", make)
    yield Common("DecimalMatrix", lambda: DecimalMatrix([[0.5, -1], [2, 3]]))
    yield Common("IntegerMatrix", lambda: IntegerMatrix([[1, 0], [0, 1]]))
    yield Common("get_det_text", lambda: get_det_text(Matrix([["0"]]), determinant=1))


def _axes() -> Iterator[Common]:
    yield Common("NumberLine", lambda: NumberLine([-10, 10, 1], include_numbers=True))
    yield Common("NumberLine, logarithmic", lambda: NumberLine([0, 5], scaling=LogBase(), include_numbers=True))
    yield Common("Axes", lambda: _labelled(Axes(x_range=[-1, 1, 0.5], y_range=[-1, 1, 0.5])))
    yield Common("ThreeDAxes", lambda: _labelled(ThreeDAxes()))
    yield Common("NumberPlane", lambda: _labelled(NumberPlane()))
    yield Common("ComplexPlane", lambda: ComplexPlane().add_coordinates())
    for units in ("PI radians", "TAU radians", "degrees", "gradians", None):
        for compact in (True, False):
            yield Common(f"PolarPlane in {units}", partial(_polar, units, compact))
    yield Common("Axes in units of pi", lambda: Axes(x_range=[-2 * PI, 2 * PI, PI / 2]).add_coordinates())
    yield Common("BarChart", lambda: BarChart([1, 2, -1], y_range=[-1, 2, 1]).get_bar_labels())


def _polar(units: str | None, compact: bool) -> None:
    PolarPlane(azimuth_units=units, azimuth_compact_fraction=compact).add_coordinates()  # type: ignore[arg-type]


def _labelled(axes: Axes) -> None:
    axes.add_coordinates()
    axes.get_axis_labels()


def _tables() -> Iterator[Common]:
    yield Common("IntegerTable", lambda: IntegerTable([[1, 2], [3, 4]]))
    yield Common("DecimalTable", lambda: DecimalTable([[1.5, -2], [3, 4]]))
