"""What a render costs, as far as one can tell: measured seconds, times what a second of its resources costs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """An estimate in US dollars, and in words how it comes about."""

    usd_estimate: float
    basis: str


@dataclass(frozen=True)
class Rate:
    """Resources that a render holds while it runs, and their prices in US dollars.

    ``cores`` are counted as the prices count them; ``gib`` is memory in GiB. ``leaves_out`` names what the
    measured seconds do not cover.
    """

    cores: float
    gib: float
    usd_core_second: float
    usd_gib_second: float
    leaves_out: str = ""

    def estimate(self, seconds: float) -> Cost:
        """Return what ``seconds`` seconds of a render cost."""
        per_second = self.cores * self.usd_core_second + self.gib * self.usd_gib_second
        basis = (
            f"{seconds:.2f} s x ({self.cores:g} cores x ${self.usd_core_second:.3g} + "
            f"{self.gib:g} GiB x ${self.usd_gib_second:.3g})"
        )
        if self.leaves_out:
            basis += f", without {self.leaves_out}"
        return Cost(round(seconds * per_second, 8), basis)
