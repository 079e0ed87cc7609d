"""What each built-in scorer finds right, and how functions become scorers."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import registry
from workbench.errors import ArgumentError, PluginError
from workbench.evals.scorers import F1, Contains, Exact, JsonField, Regex
from workbench.evals.scoring import Function, Judgement, judge, resolve
from workbench.evals.values import EvalCase


def case(expected: Any = None, *accept: Any) -> EvalCase:
    return EvalCase(0, "q", expected, accept)


def value(found: Any) -> Any:
    return found.value if isinstance(found, Judgement) else found


@pytest.mark.parametrize(
    ("scorer", "output", "expected", "right"),
    [
        (Exact(), " 4\n", "4", True),
        (Exact(), "4.", "4", False),
        (Exact(), "cafe\u0301", "caf\u00e9", True),
        (Exact(), "Yes", "yes", False),
        (Exact(ignore_case=True), "Yes", "yes", True),
        (Exact(), {"b": 1, "a": 2}, {"a": 2, "b": 1}, True),
        (Contains(), "The answer is Paris.", "paris", True),
        (Contains(ignore_case=False), "The answer is Paris.", "paris", False),
        (Regex(r"^\d{4}-\d\d-\d\d$"), "2007-09-28", None, True),
        (Regex(r"^\d{4}-\d\d-\d\d$"), "28.9.2007", None, False),
        (Regex(), "it is 42", r"\d+", True),
        (JsonField("a.b.0"), 'Sure: {"a": {"b": [3, 4]}} there', 3, 1.0),
        (JsonField("a"), '{"a": "x"}', '{"a": "x", "b": 1}', 1.0),
        (JsonField("a"), '{"a": "y"}', "x", 0.0),
        (JsonField(), "```json\n[1, 2]\n```", [1, 2], 1.0),
        (JsonField("a"), "no json here", "x", 0.0),
        (JsonField("a"), '{"b": 1}', "x", 0.0),
    ],
)
def test_built_in_scorers(scorer: Any, output: Any, expected: Any, right: Any) -> None:
    assert value(scorer.judge(output, case(expected))) == right


@pytest.mark.parametrize("scorer", [Exact(), Contains(), Regex(), JsonField(), F1()])
def test_without_an_expected_answer_there_is_nothing_to_judge(scorer: Any) -> None:
    assert value(scorer.judge("x", case())) is None


def test_any_of_the_accepted_answers_is_right() -> None:
    for scorer in (Exact(), Contains(), F1()):
        assert scorer.judge("four", case("4", "four")) == 1


def test_f1_is_that_of_squad() -> None:
    assert F1().judge("The cat, a mat!", case("cat mat")) == 1.0  # case, punctuation and articles do not count
    assert F1().judge("cat on mat", case("cat mat")) == pytest.approx(2 * 2 / 5)
    assert F1().judge("dog", case("cat")) == 0.0
    assert F1().judge("我爱北京", case("我爱上海")) == pytest.approx(0.5)


@given(st.text(max_size=40), st.text(max_size=40))
def test_f1_is_a_share_and_does_not_mind_the_order(a: str, b: str) -> None:
    there, back = F1().judge(a, case(b)), F1().judge(b, case(a))
    assert there == back
    assert 0.0 <= float(there or 0.0) <= 1.0


def test_a_pattern_that_is_none_is_refused_before_anything_runs() -> None:
    with pytest.raises(ArgumentError, match="not a regular expression"):
        Regex("(")


def test_names_are_found_through_the_registry() -> None:
    assert {"exact", "contains", "regex", "json_field", "f1"} <= set(registry.names("scorer"))
    assert [s.measure.name for s in resolve(["exact", F1(), Contains], [])] == ["exact", "f1", "contains"]
    with pytest.raises(PluginError, match="'exact' is the nearest"):
        resolve("exacts", [])


def test_exact_is_the_default_where_an_answer_is_expected() -> None:
    assert [s.measure.name for s in resolve(None, [case("4")])] == ["exact"]
    assert resolve(None, [case()]) == []


def test_scorers_get_the_names_that_a_dict_gives_them() -> None:
    made = resolve({"strict": "exact", "short": lambda output: len(output) < 5}, [])
    assert [(s.measure.name, s.measure.title) for s in made] == [("strict", "Strict"), ("short", "Short")]
    assert value(made[0].judge("4", case("4"))) is True


def test_two_scorers_of_one_name_are_refused() -> None:
    with pytest.raises(ArgumentError, match="Two scorers are called 'exact'"):
        resolve(["exact", Exact(ignore_case=True)], [])


def test_functions_take_one_to_three_arguments() -> None:
    def one(output: str) -> bool:
        return output == "4"

    def two(output: str, expected: str) -> bool:
        return output == expected

    def three(output: str, expected: str, row: EvalCase) -> bool:
        return row.input == "q"

    def four(a: str, b: str, c: str, d: str) -> bool:
        return True

    for function in (one, two, three):
        assert Function(function).judge("4", case("4")) is True
    with pytest.raises(ArgumentError, match="takes 4 arguments"):
        Function(four)
    with pytest.raises(ArgumentError, match="is not a scorer"):
        resolve([3], [])


def test_a_scorer_that_fails_costs_its_own_value_only() -> None:
    async def slow(output: str) -> Judgement:
        await asyncio.sleep(0)
        return Judgement(0.5, "half right")

    def breaks(output: str) -> float:
        raise ZeroDivisionError("by zero")

    def too_much(output: str) -> float:
        return 3.0

    with ThreadPoolExecutor(1) as threads:
        said = asyncio.run(judge(resolve(["exact", slow, breaks, too_much], []), "4", case("4"), threads))
    scores, notes = said.scores, said.notes
    assert scores == {"exact": 1.0, "slow": 0.5, "breaks": None, "too_much": None}
    assert notes["slow"] == "half right"
    assert notes["breaks"] == "ZeroDivisionError: by zero"
    assert "3 is not a share" in notes["too_much"]
