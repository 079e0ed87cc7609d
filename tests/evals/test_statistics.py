"""The numbers are scipy's numbers, and the verdicts do not say more than the rows allow."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workbench.evals import statistics
from workbench.evals.statistics import Paired

SHARES = st.floats(0, 1, allow_nan=False)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_proportion_is_wilsons(counts: tuple[int, int]) -> None:
    successes, n = counts
    expected = stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert statistics.wilson(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(st.floats(-60, 60), st.integers(1, 3000))
def test_the_tail_of_students_t_is_scipys(t: float, df: int) -> None:
    assert statistics.t_tail(t, df) == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-8, abs=1e-300)


@given(st.integers(1, 5000), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_quantile_of_students_t_is_scipys(df: int, level: float) -> None:
    assert statistics.t_quantile(df, level) == pytest.approx(stats.t.ppf((1 + level) / 2, df), rel=1e-9)


@given(st.integers(0, 800), st.integers(0, 800))
def test_mcnemars_exact_p_is_the_binomial_test_of_the_changed_rows(up: int, down: int) -> None:
    expected = stats.binomtest(up, up + down, 0.5).pvalue if up + down else 1.0
    assert statistics.mcnemar(up, down) == pytest.approx(expected, rel=1e-8)


@given(st.lists(st.tuples(SHARES, SHARES), min_size=3, max_size=60))
def test_the_paired_t_test_is_scipys(pairs: list[tuple[float, float]]) -> None:
    a, b = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    if (b - a).std() < 1e-9:
        return
    expected = stats.ttest_rel(b, a)
    low, high = expected.confidence_interval(0.95)
    test = statistics.paired_means(a, b)
    assert test.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert test.interval == pytest.approx((low, high), rel=1e-6, abs=1e-9)


def test_a_mean_of_continuous_scores_has_scipys_t_interval() -> None:
    x = np.random.default_rng(1).random(40)
    expected = stats.t.interval(0.95, len(x) - 1, loc=x.mean(), scale=stats.sem(x))
    assert statistics.mean(x, bounded=True).interval == pytest.approx(expected, rel=1e-9)


@given(st.lists(SHARES, min_size=1, max_size=50))
def test_an_interval_holds_its_centre_and_stays_in_range(values: list[float]) -> None:
    for one in (statistics.mean(values, bounded=True), statistics.median(values)):
        assert one.interval[0] - 1e-12 <= one.value <= one.interval[1] + 1e-12
        assert -1e-12 <= one.interval[0] <= one.interval[1] <= 1 + 1e-12


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_swapping_the_models_turns_every_test_around(pairs: list[tuple[bool, bool]]) -> None:
    a, b = [float(x) for x, _ in pairs], [float(y) for _, y in pairs]
    for test in (statistics.paired_proportions, statistics.paired_means):
        there, back = test(a, b), test(b, a)
        assert there.difference == pytest.approx(-back.difference)
        assert there.interval == pytest.approx((-back.interval[1], -back.interval[0]))
        assert there.p_value == pytest.approx(back.p_value)


def test_intervals_of_paired_proportions_cover_the_truth() -> None:
    """Of many samples with a known difference of 10 points, 95 in 100 intervals hold it, give or take."""
    random = np.random.default_rng(7)
    for n in (20, 60, 200):
        held = 0
        for _ in range(600):
            kind = random.random(n)
            a = ((kind < 0.5) | (kind >= 0.85)).astype(float)  # 0.5 both, 0.2 only b, 0.15 neither, 0.15 and up: see below
            b = (kind < 0.75).astype(float)
            truth = 0.75 - 0.65
            low, high = statistics.paired_proportions(a, b).interval
            held += low <= truth <= high
        assert held / 600 > 0.92


def test_medians_of_alike_models_are_found_different_as_rarely_as_promised() -> None:
    random = np.random.default_rng(3)
    found = [statistics.paired_medians(random.lognormal(size=40), random.lognormal(size=40), resamples=400).p_value < 0.05 for _ in range(300)]
    assert sum(found) / 300 < 0.09


def test_the_same_rows_give_the_same_numbers() -> None:
    x = np.random.default_rng(0).lognormal(size=80)
    y = x * 1.2
    assert statistics.paired_medians(x, y) == statistics.paired_medians(x, y)
    assert statistics.paired_medians(x, y).difference == pytest.approx(np.median(y) - np.median(x))


@pytest.mark.parametrize(
    ("interval", "p", "margin", "expected"),
    [
        ((0.02, 0.2), 0.01, 0.01, "better"),
        ((-0.2, -0.02), 0.01, 0.01, "worse"),
        ((-0.05, 0.2), 0.2, 0.01, "inconclusive"),
        ((-0.009, 0.008), 0.9, 0.01, "same"),
        ((0.001, 0.009), 0.01, 0.01, "same"),  # a real difference that does not matter
        ((0.001, 0.2), 0.06, 0.01, "inconclusive"),  # the interval alone does not make it better
        ((-0.009, 0.008), 0.9, None, "inconclusive"),
    ],
)
def test_a_verdict_needs_the_test_and_the_interval(interval: tuple[float, float], p: float, margin: float | None, expected: str) -> None:
    test = Paired(sum(interval) / 2, interval, p, 0.3, 100)
    assert statistics.verdict(test, higher_is_better=True, margin=margin) == expected
    turned = {"better": "worse", "worse": "better"}
    assert statistics.verdict(test, higher_is_better=False, margin=margin) == turned.get(expected, expected)


@given(st.integers(1, 15))
def test_a_handful_of_equal_rows_is_never_called_the_same(n: int) -> None:
    for value in (0.0, 1.0, 0.4):
        rows = [value] * n
        for test in (statistics.paired_means(rows, rows, bounded=True), statistics.paired_proportions(rows, rows)):
            assert statistics.verdict(test, higher_is_better=True, margin=0.01) == "inconclusive"


def test_hundreds_of_equal_rows_are_called_the_same() -> None:
    rows = [1.0] * 150 + [0.0] * 150
    assert statistics.verdict(statistics.paired_proportions(rows, rows), higher_is_better=True, margin=0.01) == "same"


def test_the_promised_number_of_rows_does_settle_it() -> None:
    """Drawn again with as many rows as were said to be needed, four in five comparisons are settled."""
    random = np.random.default_rng(11)

    def sample(n: int) -> Paired:
        kind = random.random(n)
        return statistics.paired_proportions((kind < 0.6).astype(float), ((kind < 0.5) | (kind > 0.8)).astype(float))

    first = Paired(0.1, (-0.05, 0.25), 0.2, math.sqrt(0.3 - 0.01), 60, 1.0)
    more = statistics.rows_to_settle(first, margin=0.01)
    assert more is not None
    said = [statistics.verdict(sample(60 + more), higher_is_better=True, margin=0.01) for _ in range(200)]
    assert 0.7 < said.count("better") / 200 < 0.95


def test_no_number_of_rows_settles_what_lies_on_the_margin() -> None:
    assert statistics.rows_to_settle(Paired(0.0, (-0.1, 0.1), 1.0, 0.3, 20), margin=None) is None
    assert statistics.rows_to_settle(Paired(1e-9, (-0.1, 0.1), 1.0, 0.3, 20), margin=None) is None
