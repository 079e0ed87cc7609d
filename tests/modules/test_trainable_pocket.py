"""The main job on the real model, engine and trainer: talk, fine-tune, deploy, evaluate."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import workbench as wb
from workbench.core.events import Piece


def test_the_shipped_model_starts_and_answers_without_any_environment(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKBENCH_ENV_DIR", str(tmp_path / "no-envs"))
    m = wb.TrainableModule("pocket").start()
    assert m.engine == "llama_cpp"
    assert m.meta is not None
    assert m.meta.architecture == "Qwen3ForCausalLM"
    assert m.type == "LLM"
    assert m("Which day comes after Wednesday?", temperature=0) == "Thursday"
    assert "".join(m.stream("Which day comes after Wednesday?", temperature=0)) == "Thursday"
    assert not (tmp_path / "no-envs").exists()


def test_what_a_start_says_is_one_line_with_the_engine_and_the_reason(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wb.TrainableModule("pocket").start()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "llama.cpp, because there is no GPU" in err


def test_sixteen_threads_and_two_streams_in_one_never_mix(home: Path) -> None:
    m = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, n_parallel=4).start()
    asked = [f"{n} + {n + 3}" for n in range(1, 17)]
    alone = [m(question, temperature=0) for question in asked]
    assert len(set(alone)) > 8
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda question: m(question, temperature=0), asked)) == alone
    one, two = m.stream(asked[0], temperature=0), m.stream(asked[9], temperature=0)
    mixed = "".join(a + b for a, b in itertools.zip_longest(two, one, fillvalue=Piece("")))
    assert alone[0] != alone[9]
    assert (two.text, one.text) == (alone[9], alone[0])
    assert sorted(mixed) == sorted(alone[0] + alone[9])
    assert m.usage.completion_tokens > 32


NOTEBOOK = """
import workbench as wb
m = wb.TrainableModule('pocket').start()
print(m.deployment.id, m('Which day comes after Wednesday?', temperature=0), flush=True)
input()
print(m('Which day comes after Wednesday?', temperature=0), flush=True)
"""


def test_two_notebooks_that_start_the_same_model_at_once_share_one_deployment(home: Path) -> None:
    def notebook() -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", NOTEBOOK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ))

    both = [notebook(), notebook()]
    try:
        lines = [p.stdout.readline().split() for p in both if p.stdout is not None]
        assert lines[0] == lines[1] == [wb.jobs(kind="deploy")[0].id, "Thursday"]
        assert len(wb.jobs()) == 1
        assert both[0].communicate("\n", timeout=60)[0].strip() == "Thursday"
        assert both[1].communicate("\n", timeout=60)[0].strip() == "Thursday"  # the first one's end is not the deployment's
        assert wb.jobs()[0].state == "running"
    finally:
        for process in both:
            process.kill()
            process.wait()


def test_update_trains_with_the_real_trainer_deploys_the_result_and_evaluates_it(home: Path, tmp_path: Path) -> None:
    m = wb.TrainableModule("pocket").start()
    rows = [{"input": f"say {w}", "expected": "zebra"} for w in ("hello", "more", "it")]
    train = [{"instruction": f"say {w}", "input": "", "output": "zebra"} for w in ("this", "that", "one", "now", "me", "so", "yes", "no")] * 8
    t = (
        wb.TrainableModule("pocket", "my-first")
        .finetune_method(
            wb.finetune.llamafactory, max_steps=24, learning_rate=2e-3, per_device_train_batch_size=8, template="qwen3_nothink", val_size=0
        )
        .trainset(train)
        .mode("finetune")
        .evalset(rows)
        .set_default_parameters(temperature=0)
    )
    assert t.update() is t
    target = wb.settings().target_root / "my-first"
    assert t.finetuned_model_path == str(target)
    assert t.get_all_models() == ([("my-first", str(target))], [])
    assert t.job is not None
    assert t.job.metrics()["step"].tolist() == list(range(1, 25))
    assert t.deployment is not None
    assert t.deployment != m.deployment
    assert t.eval_result.summary()[0].means == (1.0,)
    assert m("Which day comes after Wednesday?", temperature=0) == "Thursday"  # the base model goes on
    both = wb.compare(m, t, evalset=rows, show=False)
    assert both.models == ("pocket", "my-first")
    assert both.summary()[0].means == (0.0, 1.0)

    again = wb.TrainableModule("pocket", "my-first").start()  # another day, another notebook
    assert again.deployment == t.deployment
    assert again("say hello", temperature=0) == "zebra"
