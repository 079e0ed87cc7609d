"""A vendor's fine-tuning in a notebook: the live monitor shows it, and a key is nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from scripted_tuner import Tuner

if TYPE_CHECKING:
    from .conftest import Notebook

KEY = "sk-marked-0123456789abcdef"


@pytest.fixture
def tuner() -> Iterator[Tuner]:
    found = Tuner(looks=9)
    yield found
    found.close()


def test_the_monitor_follows_a_vendors_fine_tuning(open_notebook: Callable[..., Notebook], tuner: Tuner) -> None:
    notebook = open_notebook(
        f"import workbench as wb\n"
        f"from workbench.modules.vendors.online_chat import OnlineChatModule\n"
        f"m = OnlineChatModule('gpt-4o-mini', source='openai', base_url={tuner.url!r}, api_key={KEY!r})\n"
        f"facts = dict(m._fine_tuning(), poll_seconds=0.3)\n"
        f"OnlineChatModule._fine_tuning = lambda self: facts\n"
        f"m.set_train_tasks([{{'instruction': str(i), 'output': 'b'}} for i in range(12)])\n"
        f"job = m.update(wait=False)",
        "job.monitor()",
        "m.wait(); print(m('hello'))",
        "m.get_finetuned_models()",
        "wb.providers()",
    )
    notebook.run(0)
    notebook.run(1)
    monitor = notebook.cell(1)
    expect(monitor).to_contain_text("openai gpt-4o-mini")
    notebook.run(2)
    expect(monitor).to_contain_text("Finished")
    expect(monitor).to_contain_text("8 steps")
    assert "I am ft:gpt-4o-mini:mine" in notebook.output(2)
    assert "ftjob-1" in notebook.run(3)
    table = notebook.run(4)
    assert "OPENAI_API_KEY" in table
    assert KEY not in notebook.page.evaluate("() => [...document.querySelectorAll('.jp-OutputArea-output')].map(e => e.innerHTML).join()")
    notebook.shot("vendor-training", monitor)
    notebook.shot("providers", notebook.cell(4))
