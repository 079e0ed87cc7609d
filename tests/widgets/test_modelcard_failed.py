"""The card of a model that did not come up says so, instead of deploying for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from workbench.errors import DoesNotFit, JobFailed
from workbench.widgets.modelcard import ModelCard


def test_a_start_that_failed_is_seen_on_the_card_and_can_be_tried_again(home: Path, tmp_path: Path) -> None:
    whole = next(Path(wb.pocket.path()).glob("*.gguf")).read_bytes()
    file = tmp_path / "strange.gguf"
    file.write_bytes(whole.replace(b"qwen3", b"foox9"))
    m = wb.TrainableModule(str(file), type="llm").deploy_method(wb.deploy.llama_cpp)
    card = ModelCard(m)
    with pytest.raises(JobFailed):
        m.start()
    view = card._view()
    assert (m.state, view["state"], view["steps"]) == ("failed", "failed", [])
    assert "foox9" in view["failure"]["cause"]
    assert view["actions"] == ["deploy"]
    assert m.deployment is not None
    assert "foox9" in str(m.deployment.logs())
    file.write_bytes(whole)
    m.start()
    assert (m.state, card._view()["failure"]) == ("running", None)
    m.stop()
    assert m.state in ("cancelled", "idle")


def test_what_was_refused_before_a_start_leaves_nothing_going_on(home: Path) -> None:
    m = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, n_ctx=2**31 - 1)
    card = ModelCard(m)
    with pytest.raises(DoesNotFit):
        m.start()
    assert (m.state, card._view()["state"], m.progress.text) == ("idle", "idle", "")


def test_an_argument_of_no_use_is_told_at_the_start(home: Path) -> None:
    m = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, n_ctx=4096, n_parallel=1)
    with pytest.warns(UserWarning, match="n_ctx=2048 does the same"):
        m.start()
    m.stop()
