"""Results: live, on disk, as a table, as text."""

from __future__ import annotations

import random
import sys
import threading
import time
from pathlib import Path

import pytest

from workbench.core.messages import Usage
from workbench.errors import DataError
from workbench.evals import EvalOutput, EvalResult, EvalRow, Measure, compare
from workbench.evals import words as said
from workbench.evals.announce import MIME

pytestmark = pytest.mark.usefixtures("home")
MEASURES = (Measure("exact", "Correct"), Measure("tone", "Tone, 1 to 5", "", margin=None, on_error=None))


def output(right: bool, seconds: float = 0.4) -> EvalOutput:
    return EvalOutput("yes" if right else "no", latency=seconds, usage=Usage(3, 4), scores={"exact": float(right), "tone": 4.0 + right})


def filled(n: int = 210) -> EvalResult:
    chance = random.Random(5)
    result = EvalResult("support-quality", ("base", "tuned"), MEASURES, n, facts={"concurrency": 4})
    for i in range(n):
        b = EvalOutput(error="timed out") if i == 7 else output(chance.random() < 0.8, chance.gauss(0.41, 0.02))
        result.append(EvalRow(i, f"question {i}", "yes", (output(chance.random() < 0.6, chance.gauss(0.4, 0.02)), b)))
    result.finish()
    return result


def test_a_summary_says_what_the_mock_up_shows() -> None:
    exact, tone, latency = filled().summary()
    assert (exact.title, exact.unit, exact.verdict) == ("Correct", "%", "better")
    assert exact.p_value is not None
    assert exact.p_value < 0.01
    assert exact.rows == 210
    assert exact.improved > exact.regressed > 0
    assert exact.difference == pytest.approx(exact.means[1] - exact.means[0])  # type: ignore[operator]
    assert tone.rows == 209  # the row without an answer has no tone, but it is not correct either
    assert latency.verdict in ("same", "worse", "inconclusive")
    assert not latency.higher_is_better


def test_a_result_comes_back_from_disk_as_it_was() -> None:
    result = filled()
    for which in ("", result.id, result.path, result.path.parent if result.path else ""):
        again = EvalResult.load(which or "")
        assert again.rows == result.rows
        assert str(again) == str(result)
        assert (again.facts, again.measures, again.state) == (result.facts, result.measures, "finished")


def test_an_evaluation_that_was_killed_reads_as_far_as_it_came() -> None:
    result = filled(20)
    assert result.path is not None
    lines = result.path.read_text().splitlines(keepends=True)
    result.path.write_text("".join(lines[:12]) + lines[12][:40])
    again = EvalResult.load(result.id)
    assert (again.state, again.done, again.total) == ("cancelled", 11, 20)


def test_what_is_no_evaluation_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no evaluation in this home yet"):
        EvalResult.load()
    broken = tmp_path / "result.jsonl"
    broken.write_text("[]\n{}\n")
    with pytest.raises(DataError, match="line 1"):
        EvalResult.load(broken)
    result = filled(3)
    with pytest.raises(DataError, match=f"{result.id!r} is the nearest"):
        EvalResult.load(result.id[:-1])


def test_a_table_has_one_line_a_row_and_model() -> None:
    frame = filled(10).to_pandas()
    assert list(frame.columns)[:9] == ["row", "input", "expected", "model", "output", "error", "skipped", "exact", "tone"]
    assert frame.shape[0] == 20
    assert frame.loc[(frame.row == 7) & (frame.model == "tuned"), "error"].item() == "timed out"
    assert frame["latency"].dtype == float
    assert frame["completion_tokens"].sum() == 19 * 4


def test_watchers_hear_of_bursts_at_a_bounded_rate_and_of_the_end() -> None:
    result = EvalResult("live", ("m",), MEASURES[:1], 300)
    heard: list[int] = []
    last = threading.Event()

    def look() -> None:
        heard.append(result.done)
        if result.state == "finished":
            last.set()

    def breaks() -> None:
        raise RuntimeError("a broken widget")

    result.on_change(breaks)
    forget = result.on_change(look, interval=0.05)
    for i in range(300):
        result.append(EvalRow(i, "q", "yes", (output(True),)))
    result.finish()
    assert last.wait(5)
    assert heard[-1] == 300
    assert len(heard) < 100
    forget()
    count = len(heard)
    result._changed()
    time.sleep(0.1)
    assert len(heard) == count


def test_many_threads_may_append() -> None:
    result = EvalResult("threads", ("m",), MEASURES[:1], 400)

    def add(start: int) -> None:
        for i in range(start, 400, 8):
            result.append(EvalRow(i, "q", "yes", (output(True),)))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    result.finish()
    assert [r.index for r in result.rows] == list(range(400))
    assert EvalResult.load(result.id).rows == result.rows


def test_text_and_markdown_show_the_summary() -> None:
    result = filled()
    text = str(result)
    assert text.startswith("support-quality · 210 rows, 1 error · ")
    assert "Correct" in text
    assert "better" in text
    table = result.to_markdown()
    assert table.count("\n") == 6
    assert "| Correct |" in table
    one = EvalResult("one|two", ("m|n",), MEASURES[:1], 1)
    one.append(EvalRow(0, "q", "yes", (output(True),)))
    one.finish()
    assert "m\\|n" in one.to_markdown()
    assert "95% CI" in str(one)


def test_a_notebook_stores_text_html_and_the_announcement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_HEADLESS", "1")
    data, _ = filled(12)._repr_mimebundle_()
    assert {"text/plain", "text/html", MIME} <= data.keys()
    assert "<table>" in data["text/html"]
    assert data[MIME]["name"] == "support-quality"


def test_numbers_in_words() -> None:
    assert said.difference(0.124, "%") == "+12.4 pts"
    assert said.difference(-0.003, "s") == "−3.0 ms"
    assert said.difference(0.0, "%") == "0.0 pts"
    assert said.value(-0.00001, "") == "0.00"
    assert said.value(1.24, "s") == "1.24 s"
    assert said.seconds(161) == "2 min 41 s"
    assert said.interval(0.044, 0.203, "%", signed=True) == "+4.4 to +20.3 pts"
    assert (said.p(0.0004), said.p(0.003), said.p(0.21)) == ("p < 0.001", "p = 0.003", "p = 0.21")
    assert said.facts(128, 210, 1) == "128 of 210 rows, 1 error"


def test_evaluating_loads_no_heavy_package(home: Path) -> None:
    import subprocess

    code = (
        "import sys, workbench as wb\nr = wb.compare(str.upper, str.lower, evalset=[('a', 'A')], show=False)\nr.save_html(sys.argv[1])\n"
        "print([m for m in ('torch', 'matplotlib', 'scipy', 'pandas', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(home / "r.html")], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_models_may_be_more_than_two() -> None:
    result = compare(str.lower, str.title, str.upper, evalset=[(f"q{i}", f"Q{i}") for i in range(30)])
    summary = result.summary()[0]
    assert summary.means == (0.0, 1.0, 1.0)
    assert summary.verdict == "better"
    assert result.summary(baseline=1)[0].difference == 0.0
