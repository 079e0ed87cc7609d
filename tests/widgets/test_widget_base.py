"""What all widgets share: questions and answers, closing, refusing, the bundle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from workbench.errors import ArgumentError, DataError
from workbench.widgets.base import STATIC, Reply, Widget, bundle
from workbench.widgets.chat import Chat
from workbench.widgets.evaltable import EvalTable
from workbench.widgets.gpu import Gpu
from workbench.widgets.modelcard import ModelCard
from workbench.widgets.monitor import Monitor


class Probe(Widget):
    """A widget with one method of each kind."""

    bundle_name = "gpu"

    def _methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"add": lambda a, b: a + b, "bytes": lambda: Reply({"n": 2}, b"xy"), "bad": self._bad, "worse": lambda: 1 / 0}

    def _bad(self) -> None:
        raise DataError("It cannot be.", "It is not.", "Do another.")


def ask(widget: Widget, method: str, **params: Any) -> tuple[dict[str, Any], list[bytes]]:
    """A page's question and its answer."""
    answers: list[tuple[dict[str, Any], list[bytes]]] = []
    widget.send = lambda content, buffers=None: answers.append((content, list(buffers or [])))  # type: ignore[method-assign]
    widget._handle_custom_msg({"kind": "rpc", "id": "7", "method": method, "params": params}, [])
    return next(a for a in answers if a[0]["kind"] == "reply")


def test_a_question_is_answered_under_its_id_with_its_buffers() -> None:
    probe = Probe()
    assert ask(probe, "add", a=1, b=2) == ({"kind": "reply", "id": "7", "result": 3}, [])
    assert ask(probe, "bytes") == ({"kind": "reply", "id": "7", "result": {"n": 2}}, [b"xy"])


def test_an_error_comes_back_as_a_message_with_cause_and_fix() -> None:
    probe = Probe()
    assert ask(probe, "bad")[0]["error"] == {"what": "It cannot be.", "cause": "It is not.", "fix": "Do another."}
    assert ask(probe, "worse")[0]["error"]["what"].startswith("ZeroDivisionError")
    assert "nonsense" in ask(probe, "nonsense")[0]["error"]["what"]
    assert "TypeError" in ask(probe, "add", c=1)[0]["error"]["what"]


def test_a_message_that_is_no_question_is_left_alone() -> None:
    probe, sent = Probe(), []
    probe.send = lambda *a: sent.append(a)  # type: ignore[method-assign]
    probe._handle_custom_msg({"kind": "other"}, [])
    probe._handle_custom_msg("text", [])
    assert sent == []


@pytest.mark.parametrize("kind", [Monitor, Chat, EvalTable, Gpu, ModelCard])
def test_an_unknown_argument_is_refused_with_the_known_ones(kind: Any) -> None:
    wanted = () if kind is Gpu else (object(),)
    with pytest.raises(ArgumentError, match="colour"):
        kind(*wanted, colour="red")


def test_every_widget_has_a_bundle_under_100_kb() -> None:
    for name in ("monitor", "chat", "evaltable", "gpu", "modelcard"):
        assert "export" in bundle(name)
        assert (STATIC / f"{name}.js").stat().st_size < 100_000


def test_closing_ends_the_threads(home: Any) -> None:
    gpu = Gpu(interval=0.05)
    ask(gpu, "hello")
    thread = next(t for t in threading.enumerate() if t.name == "machine")
    gpu.close()
    thread.join(10)
    assert not thread.is_alive()


def test_the_opening_message_holds_what_a_page_can_begin_with(home: Any) -> None:
    """A page is told a state before the constructor has ended: it may be empty, but not half."""
    from workbench.evals.result import EvalResult

    opened: list[dict[str, Any]] = []

    class Table(EvalTable):
        def open(self) -> None:
            opened.append(self.get_state())
            super().open()

    result = EvalResult("e", ["a"], [], 0, keep=False)
    result.finish()
    Table(result)
    assert opened[0]["snapshot"]["head"]["name"] == "e"
