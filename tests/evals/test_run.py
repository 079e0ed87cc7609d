"""Runs: rows in order whatever the order of answers, errors that cost one row, stops that keep what is there."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from workbench.core.messages import Completion, Timing, Usage
from workbench.errors import ArgumentError, EndpointTimeout, NotStarted, RateLimited
from workbench.evals import EvalResult, EvalRow, acompare, aevaluate, compare, evaluate
from workbench.evals.pace import Pace

ROWS = [(f"q{i}", f"Q{i}") for i in range(24)]


async def upper(text: str) -> str:
    await asyncio.sleep(0.001 * (hash(text) % 5))
    return text.upper()


@pytest.mark.usefixtures("home")
class TestEvaluating:
    def test_rows_come_back_in_the_order_of_the_set(self) -> None:
        result = evaluate(upper, ROWS)
        assert [r.input for r in result.rows] == [q for q, _ in ROWS]
        assert [r.outputs[0].value for r in result.rows] == [e for _, e in ROWS]
        assert result.state == "finished"
        assert result.summary()[0].means == (1.0,)

    def test_a_plain_function_and_a_module_are_asked_alike(self) -> None:
        class Module:
            name = "pocket"

            async def acall(self, query: str, **arguments: Any) -> Completion:
                return Completion(query.upper(), usage=Usage(3, 5), timing=Timing(0.01, 0.25))

        result = compare(Module(), str.upper, evalset=ROWS[:4])
        assert result.models == ("pocket", "upper")
        module, function = result.rows[0].outputs
        assert module.value == function.value == "Q0"
        assert (module.latency, module.first_token, module.usage) == (0.25, 0.01, Usage(3, 5))
        assert function.latency is not None

    def test_a_dict_row_becomes_keyword_arguments(self) -> None:
        result = evaluate(lambda query, documents: f"{query}{len(documents)}", [{"query": "n", "documents": [1, 2], "expected": "n2"}])
        assert result.rows[0].outputs[0].scores == {"exact": 1.0}

    def test_one_bad_row_costs_one_row(self) -> None:
        def sometimes(text: str) -> str:
            if text == "q3":
                raise EndpointTimeout("No answer within 30 s.", "The engine is busy.", "Ask for less.")
            if text == "q5":
                raise ValueError("odd")
            return text.upper()

        result = evaluate(sometimes, ROWS)
        errors = {r.index: r.outputs[0].error for r in result.rows if r.failed}
        assert errors == {3: "No answer within 30 s. The engine is busy. (EndpointTimeout)", 5: "ValueError: odd"}
        assert result.errors == 2
        assert result.state == "finished"
        assert result.summary()[0].means == (22 / 24,)  # a missing answer is not a right one

    def test_a_model_that_was_not_started_ends_it_at_once(self) -> None:
        asked = []

        async def asleep(text: str) -> str:
            asked.append(text)
            raise NotStarted("pocket is not deployed.", "", "Type start() on it first.")

        with pytest.raises(NotStarted, match="Type start"):
            evaluate(asleep, ROWS, concurrency=2)
        assert len(asked) <= 2
        assert EvalResult.load().state == "cancelled"

    def test_the_same_model_twice_is_asked_once(self) -> None:
        asked: list[str] = []

        async def once(text: str) -> str:
            asked.append(text)
            return text

        result = compare(once, once, evalset=ROWS, names=["first", "second"])
        assert len(asked) == len(ROWS)
        assert all(r.outputs[0] == r.outputs[1] for r in result.rows)

    def test_at_most_so_many_rows_are_asked_at_a_time(self) -> None:
        now, most = 0, 0

        async def count(text: str) -> str:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.005)
            now -= 1
            return text

        evaluate(count, ROWS, concurrency=3)
        assert most == 3

    def test_every_row_is_reported_as_it_comes(self) -> None:
        seen: list[EvalRow] = []
        started: list[EvalResult] = []
        result = evaluate(upper, ROWS, on_row=seen.append, on_start=started.append)
        assert sorted(r.index for r in seen) == list(range(24))
        assert started == [result]

    def test_async_code_awaits_in_its_own_loop(self) -> None:
        async def main() -> None:
            loops = set()

            async def where(text: str) -> str:
                loops.add(asyncio.get_running_loop())
                return text.upper()

            one = await aevaluate(where, ROWS[:3])
            two = await acompare(where, upper, evalset=ROWS[:3], scorers="f1", name="both")
            assert loops == {asyncio.get_running_loop()}
            assert (one.summary()[0].means, two.name) == ((1.0,), "both")

        asyncio.run(main())

    def test_wait_false_returns_a_result_that_fills(self) -> None:
        gate = threading.Event()
        result = evaluate(lambda text: gate.wait(10) and text, ROWS, wait=False)
        assert result.state == "running"
        gate.set()
        assert result.wait(10).state == "finished"
        assert result.done == 24

    def test_stop_keeps_what_is_there_and_marks_the_rest(self) -> None:
        six = threading.Event()

        async def slow(text: str) -> str:
            if int(text[1:]) >= 6:
                await asyncio.sleep(30)
            return text.upper()

        result = compare(slow, upper, evalset=ROWS, concurrency=2, wait=False)
        result.on_change(lambda: six.set() if result.done == 6 else None, interval=0.01)
        assert six.wait(10)
        result.stop()
        result.wait(10)
        assert result.state == "cancelled"
        assert (result.done, len(result.rows)) == (6, 24)
        assert all(o.skipped for r in result.rows[6:] for o in r.outputs)
        assert result.summary()[0].means == (1.0, 1.0)  # rows that were not asked do not count
        assert EvalResult.load(result.id).done == 6

    def test_cancelling_the_caller_cancels_the_run(self) -> None:
        async def main() -> EvalResult:
            found: list[EvalResult] = []

            async def never(text: str) -> str:
                await asyncio.sleep(30)
                return text

            task = asyncio.ensure_future(aevaluate(never, ROWS, on_start=found.append))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return found[0]

        assert asyncio.run(main()).state == "cancelled"

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"evalset": ROWS, "scorer": "f1"}, "does not know the argument 'scorer'"),
            ({}, "needs an evaluation set"),
            ({"evalset": ROWS, "concurrency": 0}, "too small"),
            ({"evalset": ROWS, "names": ["one"]}, "names has 1 names for 2 models"),
            ({"evalset": ROWS, "margins": {"exactly": 0.1}}, "does not know the argument 'exactly'"),
        ],
    )
    def test_wrong_arguments_are_refused_before_anything_is_asked(self, arguments: dict[str, Any], words: str) -> None:
        with pytest.raises(ArgumentError, match=words):
            compare(upper, upper, **arguments)

    def test_evaluate_names_the_nearest_argument(self) -> None:
        with pytest.raises(ArgumentError, match="'scorers' is the nearest"):
            evaluate(upper, ROWS, scorer="f1")

    def test_compare_needs_two_models(self) -> None:
        with pytest.raises(ArgumentError, match="two models or more"):
            compare(upper, evalset=ROWS)

    def test_margins_decide_what_is_the_same(self) -> None:
        def nearly(text: str) -> str:
            return text.upper() if text != "q3" else "no"

        rows = ROWS * 4
        assert compare(str.upper, nearly, evalset=rows).summary()[0].verdict == "inconclusive"
        assert compare(str.upper, nearly, evalset=rows, margins={"exact": 0.2}).summary()[0].verdict == "same"

    def test_a_model_that_says_too_much_is_asked_less_and_loses_no_row(self) -> None:
        now, refused = 0, 0

        async def narrow(text: str) -> str:
            nonlocal now, refused
            now += 1
            try:
                if now > 2:
                    refused += 1
                    raise RateLimited("Too many requests.", retry_after=0.01)
                await asyncio.sleep(0.002)
                return text.upper()
            finally:
                now -= 1

        result = evaluate(narrow, ROWS, concurrency=8)
        assert result.errors == 0
        assert refused > 0


def test_a_burst_of_refusals_halves_the_pace_once() -> None:
    async def main() -> None:
        pace, refused = Pace(8), set()

        async def call(n: int) -> int:
            if n not in refused and n < 8:
                refused.add(n)
                await asyncio.sleep(0.01)
                raise RateLimited("Too many requests.", retry_after=0.01)
            return n

        async def one(n: int) -> int:
            return await pace.run(lambda: call(n))

        first = asyncio.gather(*(one(n) for n in range(8)))
        await asyncio.sleep(0.015)
        assert pace.limit == 4
        assert await first == list(range(8))
        for n in range(8, 60):
            await one(n)
        assert pace.limit == 8  # it grows back

    asyncio.run(main())


def test_a_refusal_that_does_not_end_is_an_error_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> int:
        asked = 0

        async def never() -> None:
            nonlocal asked
            asked += 1
            raise RateLimited("Too many requests.", retry_after=0.0)

        with pytest.raises(RateLimited):
            await Pace(2).run(never)
        return asked

    assert asyncio.run(main()) == 6


def test_ctrl_c_keeps_the_rows_and_ends_the_program(home: Path, tmp_path: Path) -> None:
    script = tmp_path / "long.py"
    script.write_text(
        "import asyncio, sys\nimport workbench as wb\n"
        "async def slow(text):\n    if text == 'q5':\n        print('now', flush=True)\n        await asyncio.sleep(60)\n    return text\n"
        "wb.compare(slow, str.upper, evalset=[f'q{i}' for i in range(20)], concurrency=1)\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})
    assert process.stdout is not None
    assert process.stdout.readline() == "now\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert "KeyboardInterrupt" in error
    result = EvalResult.load()
    assert (result.state, result.done, len(result.rows)) == ("cancelled", 5, 20)
