"""How the engine says that a scene cannot become a video."""

from __future__ import annotations

from manimcast.spec import SceneError


class SceneFailure(Exception):  # noqa: N818  the error is what it carries
    """The scene is at fault, and ``error`` tells the client why."""

    def __init__(self, error: SceneError) -> None:
        super().__init__(error.message)
        self.error = error


class OutputTooLarge(BaseException):
    """The scene draws more than the limits allow.

    Not an :class:`Exception`, so that a scene's own ``except Exception`` does not swallow it and draw on.
    """


class LatexError(ValueError):
    """LaTeX could not typeset an expression.

    A :class:`ValueError`, as what Manim raises there is one, and scenes may catch it.

    Parameters
    ----------
    expression
        What the scene asked for, as it stands in the document's body.
    cause
        TeX's first error, in plain words.
    hint
        What would mend it, if that is known.
    """

    def __init__(self, expression: str, cause: str, hint: str | None = None) -> None:
        super().__init__(f"LaTeX cannot typeset '{expression}': {cause}")
        self.expression = expression
        self.cause = cause
        self.hint = hint


class GoesAhead(BaseException):
    """Raised in a scout where the render waits for its answer: it works elsewhere now, and has to begin anew there."""
