"""Real rows on the real small model, served by the real engine; the report of a model that was fine-tuned here."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.evals import EvalResult, EvalRow, evaluate
from workbench.runtime.work import jobs


def test_the_model_that_ships_is_evaluated_on_rows_of_every_form(home: Path) -> None:
    model: Any = wb.TrainableModule("pocket").start()
    rows = wb.pocket.exam_rows()[:24]
    result = evaluate(model, rows)
    assert (result.done, result.errors, result.models) == (24, 0, ("pocket",))
    assert (result.summary()[0].means[0] or 0.0) > 0.5
    outputs = [r.outputs[0] for r in result.rows]
    assert all(o.usage.completion_tokens > 0 and o.first_token is not None and o.latency is not None for o in outputs)
    assert all(0 < (o.first_token or 0) <= (o.latency or 0) for o in outputs)

    question, answer = rows[0]["input"], rows[0]["output"]
    forms = [
        {"instruction": question, "input": "", "output": answer},
        {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]},
        {"conversations": [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]},
        (question, answer),
    ]
    assert len({r.outputs[0].value for r in evaluate(model, forms, concurrency=1).rows}) == 1


@pytest.mark.parametrize("restarts", [0, 3])
def test_an_engine_that_dies_costs_the_rows_that_it_did_not_answer(home: Path, restarts: int) -> None:
    model: Any = wb.TrainableModule("any").deploy_method(wb.deploy.dummy, text="one two three four", delay=0.002, restarts=restarts)
    model.start()
    pid = model.deployment.record.pid

    def kill(row: EvalRow) -> None:
        if row.index == 10:
            os.kill(pid, signal.SIGKILL)

    result = evaluate(model, [f"question {i}" for i in range(40)], concurrency=2, on_row=kill)
    assert result.state == "finished"
    errors = [r.outputs[0].error for r in result.rows if r.failed]
    if restarts:  # it comes up again and answers the rest: what can be lost is what was being answered
        assert len(errors) < 20
        assert {r.outputs[0].value for r in result.rows if not r.failed} == {"one two three four"}
        assert not result.rows[-1].failed
    else:
        assert 20 < len(errors) < 32
    assert all("EndpointDown" in e or "StreamBroken" in e for e in errors), set(errors)


def test_the_loss_of_a_models_own_fine_tuning_is_in_its_report(home: Path, tmp_path: Path) -> None:
    tuned: Any = wb.TrainableModule("pocket", "mine").finetune_method(wb.finetune.dummy, steps=12)
    job = tuned.trainset([{"instruction": "a", "output": "b"}] * 4).mode("finetune").update(wait=False)
    job.wait(60)

    class Served:
        """Stands for the trained model, because a dry run makes none."""

        def __init__(self) -> None:
            self.name, self.job = "mine", job

        async def acall(self, query: str) -> str:
            return query.upper()

    result = evaluate(Served(), ["a", "b"])
    assert "Training loss" in result.save_html(tmp_path / "r.html").read_text()
    assert "Training loss" in EvalResult.load(result.id).save_html(tmp_path / "again.html").read_text()
    result.facts["models"]["mine"]["job"] = "nothing1"
    assert "Training loss" not in result.save_html(tmp_path / "r.html").read_text()
    assert jobs.store().job(job.id).state == "succeeded"
