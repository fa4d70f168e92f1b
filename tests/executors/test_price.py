"""What seconds of a render's resources come to."""

from __future__ import annotations

import pytest

from manimcast.executors.price import Rate


def test_seconds_times_resources_times_prices() -> None:
    cost = Rate(cores=2, gib=4, usd_core_second=0.0000131, usd_gib_second=0.00000222).estimate(10)
    assert cost.usd_estimate == pytest.approx(10 * (2 * 0.0000131 + 4 * 0.00000222))
    assert cost.basis == "10.00 s x (2 cores x $1.31e-05 + 4 GiB x $2.22e-06)"


def test_what_is_left_out_is_named() -> None:
    rate = Rate(cores=0.5, gib=1, usd_core_second=1, usd_gib_second=0, leaves_out="the cold start")
    assert rate.estimate(0.25).basis == "0.25 s x (0.5 cores x $1 + 1 GiB x $0), without the cold start"


@pytest.mark.parametrize("rate", [Rate(2, 4, 0, 0), Rate(0, 0, 1, 1)])
def test_what_has_no_price_or_takes_nothing_is_free(rate: Rate) -> None:
    assert rate.estimate(1000).usd_estimate == 0


def test_no_time_costs_nothing() -> None:
    assert Rate(2, 4, 1, 1).estimate(0).usd_estimate == 0
