"""The evaluation table's Python half, with results that are filled by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench.core.messages import Usage
from workbench.errors import ArgumentError
from workbench.evals.result import EvalOutput, EvalResult, EvalRow, Measure
from workbench.widgets.eval_rows import Index, Query, text
from workbench.widgets.evaltable import EvalTable

from ..support.job_helpers import until

MEASURE = Measure("exact", "Exact match")


def output(value: str, score: float | None, latency: float = 0.1, error: str = "") -> EvalOutput:
    return EvalOutput(value or None, error, None if error else latency, None, Usage(1, 2), {} if score is None else {"exact": score})


def row(index: int, a: EvalOutput, b: EvalOutput | None = None) -> EvalRow:
    return EvalRow(index, f"question {index}", f"answer {index}", (a, b) if b else (a,))


ROWS = [
    row(0, output("x", 1.0, 0.3), output("x", 1.0, 0.2)),
    row(1, output("right", 1.0), output("wrong", 0.0, 0.9)),
    row(2, output("wrong", 0.0), output("right", 1.0, 0.1)),
    row(3, output("right", 1.0), output("", None, error="timed out")),
]


def made(rows: list[EvalRow], models: tuple[str, ...] = ("base", "tuned"), state: Any = "finished", home: Any = None) -> EvalResult:
    result = EvalResult("quality", models, [MEASURE], len(rows), keep=False)
    for each in rows:
        result.append(each)
    if state != "running":
        result.finish(state)
    return result


def ids(table: EvalTable, **query: Any) -> list[int]:
    return [r["index"] for r in table._rows(0, 100, **query)["rows"]]


def test_rows_are_filtered_by_what_differs_regressed_improved_or_failed(home: Path) -> None:
    table = EvalTable(made(ROWS))
    found = {f: ids(table, filter=f, score="exact") for f in ("all", "different", "regressions", "improved", "errors")}
    assert found == {"all": [0, 1, 2, 3], "different": [1, 2, 3], "regressions": [1, 3], "improved": [2], "errors": [3]}
    counts = table._rows(0, 1, score="exact")["counts"]
    assert (counts["regressions"], counts["errors"]) == (2, 1)


def test_the_filter_counts_what_the_summary_counts(home: Path) -> None:
    result = made(ROWS)
    summary = result.summary()[0]
    counts = EvalTable(result)._rows(0, 1, score="exact")["counts"]
    assert (counts["improved"], counts["regressions"]) == (summary.improved, summary.regressed)


def test_rows_are_searched_sorted_and_given_in_pieces(home: Path) -> None:
    table = EvalTable(made(ROWS))
    assert ids(table, search="TIMED out") == [3]
    assert ids(table, search="question 2") == [2]
    assert ids(table, sort="latency", score="exact") == [2, 0, 1, 3]
    assert ids(table, sort="latency", descending=True, score="exact") == [1, 0, 2, 3]
    assert ids(table, sort="row", descending=True) == [3, 2, 1, 0]
    piece = table._rows(1, 3)
    assert ([r["index"] for r in piece["rows"]], piece["total"]) == ([1, 2], 4)


def test_one_model_has_wrong_rows_instead_of_regressions(home: Path) -> None:
    table = EvalTable(made([row(0, output("x", 1.0)), row(1, output("y", 0.0))], ("only",)))
    assert ids(table, filter="wrong", score="exact") == [1]
    assert ids(table, filter="different", score="exact") == []


def test_a_row_is_given_whole(home: Path) -> None:
    long = "word " * 500
    table = EvalTable(made([EvalRow(7, long, None, (output("x", 1.0),))], ("only",)))
    assert len(table._rows(0, 1)["rows"][0]["input"]) == 400
    assert table._row(7)["input"] == long
    with pytest.raises(ArgumentError):
        table._row(8)


def test_a_running_result_is_followed_to_its_end(home: Path) -> None:
    result = made(ROWS[:1], state="running")
    table, heads = EvalTable(result), []
    table.send = lambda content, buffers=None: heads.append(content.get("head"))  # type: ignore[method-assign]
    for each in ROWS[1:]:
        result.append(each)
    result.finish()
    until(lambda: heads and heads[-1] and heads[-1]["state"] == "finished", "the end on the page")
    assert heads[-1]["done"] == 4
    assert [h["rev"] for h in heads] == sorted(h["rev"] for h in heads)


def test_stop_on_the_page_stops_the_run(home: Path) -> None:
    result, stopped = made(ROWS, state="running"), []
    result.set_stop(lambda: stopped.append(True))
    EvalTable(result)._methods()["stop"]()
    assert stopped == [True]
    result.finish("cancelled")


def test_another_of_several_models_can_be_compared(home: Path) -> None:
    three = [EvalRow(0, "q", "a", (output("x", 1.0), output("y", 0.0), output("z", 1.0)))]
    table = EvalTable(made(three, ("a", "b", "c")))
    assert ids(table, filter="regressions", score="exact") == []
    table._pair(1)
    assert ids(table, filter="regressions", score="exact") == [0]
    with pytest.raises(ArgumentError):
        table._pair(3)


def test_the_csv_has_a_line_a_row_and_model(home: Path) -> None:
    reply = EvalTable(made(ROWS))._csv()
    assert reply.result == {"name": "quality.csv"}
    assert len(reply.buffers[0].decode().strip().splitlines()) == 1 + 8


def test_the_saved_form_has_the_summary_and_the_first_rows(home: Path) -> None:
    many = [row(i, output(f"<b>{i}</b>", 1.0), output(str(i), 1.0)) for i in range(30)]
    html = EvalTable(made(many))._repr_mimebundle_()[0]["text/html"]
    assert "Exact match" in html
    assert "&lt;b&gt;19&lt;/b&gt;" in html
    assert "<b>19</b>" not in html
    assert "10 more rows" in html


def test_a_hundred_thousand_rows_are_one_index(home: Path) -> None:
    rows = [row(i, output("x", float(i % 2)), output("y", 1.0)) for i in range(100_000)]
    index = Index(rows, {"exact": MEASURE})
    asked = Query("improved", "exact", candidate=1)
    assert len(index.order(asked)) == 50_000
    assert index.counts(asked)["all"] == 100_000


def test_values_read_as_text() -> None:
    assert text(None) == ""
    assert text([{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]) == "q"
    assert text({"a": 1}) == '{"a": 1}'
    assert text(object()).startswith("<object")


def test_what_is_no_result_is_refused() -> None:
    with pytest.raises(ArgumentError):
        EvalTable([1, 2])  # type: ignore[arg-type]  # the point of the test
