"""The chat's Python half, with models that answer by real streams over a scripted pump."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from workbench.core.events import Piece
from workbench.core.messages import Usage
from workbench.errors import ArgumentError, EndpointDown
from workbench.runtime.answering.stream import Channel, Stream
from workbench.widgets.chat import Chat

from ..support.job_helpers import until


class Talker:
    """A model that says the last question back, word by word; remembers what it was sent."""

    def __init__(self, name: str = "talker", pace: float = 0.0, fail: bool = False) -> None:
        self.name, self.state, self._pace, self._fail = name, "running", pace, fail
        self.asked: list[tuple[list[dict[str, str]], dict[str, Any]]] = []

    def stream(self, input: Any, **parameters: Any) -> Stream:
        self.asked.append((list(input), parameters))
        words = str(input[-1]["content"]).split()

        async def pump(channel: Channel) -> None:
            for word in words:
                await asyncio.sleep(self._pace)
                channel.texts.append(word + " ")
                channel.push([Piece(word + " ")])
            if self._fail:
                channel.end(EndpointDown("It is down.", "It fell.", "Lift it."))
                return
            channel.usage, channel.finish = Usage(7, len(words)), "stop"
            channel.end()

        return Stream(pump)


class Page:
    """What a page would have of a chat."""

    def __init__(self, chat: Chat) -> None:
        self.exchanges: list[dict[str, Any]] = []
        self.revision, self.messages = 0, 0
        self._chat = chat
        chat.send = self._take  # type: ignore[method-assign]

    def ask(self, method: str, **params: Any) -> None:
        self._chat._handle_custom_msg({"kind": "rpc", "id": "1", "method": method, "params": params}, [])

    def _take(self, content: dict[str, Any], buffers: Any = None) -> None:
        if content["kind"] != "update":
            return
        assert content["rev"] == self.revision + 1
        self.revision, self.messages = content["rev"], self.messages + 1
        if "exchanges" in content:
            self.exchanges = [*content["exchanges"]]
        if "exchange" in content:
            known = [e["id"] for e in self.exchanges]
            new = content["exchange"]
            if new["id"] in known:
                self.exchanges[known.index(new["id"])] = new
            else:
                self.exchanges.append(new)
        for piece in content.get("pieces", ()):
            answer = next(a for e in self.exchanges for a in e["answers"] if a["run"] == piece["run"])
            answer["text"] += piece["text"]


def idle(chat: Chat) -> Callable[[], bool]:
    return lambda: not any(a.active for e in chat._exchanges for a in e.answers)


def test_an_answer_comes_in_pieces_and_ends_with_its_numbers() -> None:
    chat = Chat(Talker(), system="Be brief.", temperature=0.2)
    page = Page(chat)
    page.ask("ask", text="one two three")
    until(idle(chat), "the answer")
    answer = page.exchanges[0]["answers"][0]
    assert (answer["text"], answer["state"], answer["tokens"]) == ("one two three ", "done", 3)
    assert answer["first_token"] is not None
    model = chat._models[0]
    assert model.asked == [([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "one two three"}], {"temperature": 0.2})]
    assert [m["role"] for m in chat.messages] == ["system", "user", "assistant"]


def test_pieces_are_sent_together() -> None:
    chat = Chat(Talker(pace=0.0))
    page = Page(chat)
    chat.ask(" ".join(["word"] * 3000))
    until(idle(chat), "the answer")
    assert page.messages < 200
    assert page.exchanges[0]["answers"][0]["text"] == "word " * 3000


def test_stop_keeps_what_came_and_the_next_question_knows_it() -> None:
    model = Talker(pace=0.02)
    chat = Chat(model)
    page = Page(chat)
    chat.ask(" ".join(["word"] * 500))
    until(lambda: page.exchanges and page.exchanges[0]["answers"][0]["text"].count("word") > 3, "some words")
    page.ask("stop")
    until(idle(chat), "the stop")
    stopped = page.exchanges[0]["answers"][0]
    assert stopped["state"] == "stopped"
    assert 3 < stopped["text"].count("word") < 500
    chat.ask("next")
    until(idle(chat), "the next answer")
    assert model.asked[-1][0][1] == {"role": "assistant", "content": stopped["text"]}


def test_a_question_while_one_is_answered_is_refused() -> None:
    chat = Chat(Talker(pace=0.05))
    chat.ask("a b c d e f g h")
    with pytest.raises(ArgumentError):
        chat.ask("now")
    chat.stop()


def test_edit_and_retry_drop_what_came_after() -> None:
    model = Talker()
    chat = Chat(model)
    for text in ("first", "second", "third"):
        chat.ask(text)
        until(idle(chat), text)
    chat.edit(chat._exchanges[1].id, "other")
    until(idle(chat), "the edited one")
    assert [e.text for e in chat._exchanges] == ["first", "other"]
    assert [m["content"] for m in model.asked[-1][0]] == ["first", "first ", "other"]
    chat.retry(chat._exchanges[0].id)
    until(idle(chat), "the retried one")
    assert [e.text for e in chat._exchanges] == ["first"]
    chat.clear()
    assert chat.messages == []


def test_an_error_is_a_turn_with_cause_and_fix_and_is_not_said_again() -> None:
    model = Talker(fail=True)
    chat = Chat(model)
    chat.ask("hello there")
    until(idle(chat), "the error")
    answer = chat._exchanges[0].answers[0]
    assert answer.state == "error"
    assert answer.error == {"what": "It is down.", "cause": "It fell.", "fix": "Lift it."}
    assert answer.text == "hello there "
    assert "It is down." in chat.to_pandas()["error"][0]


def test_two_models_are_asked_the_same_and_each_knows_its_own_answers() -> None:
    a, b = Talker("a"), Talker("b", pace=0.01)
    chat = Chat([a, b])
    page = Page(chat)
    chat.ask("one")
    until(idle(chat), "both")
    chat.ask("two")
    until(idle(chat), "both again")
    assert [x["model"] for x in page.exchanges[1]["answers"]] == [0, 1]
    assert [m["content"] for m in b.asked[-1][0]] == ["one", "one ", "two"]
    page.ask("retry", id=chat._exchanges[1].id, model=1)
    until(idle(chat), "the one")
    assert len(a.asked) == 2
    assert len(b.asked) == 3


def test_a_page_that_comes_late_and_a_saved_notebook_have_the_conversation() -> None:
    chat = Chat(Talker())
    chat.ask("is <this> kept")
    until(idle(chat), "the answer")
    assert chat.get_state()["snapshot"]["exchanges"][0]["answers"][0]["text"] == "is <this> kept "
    html = chat._repr_mimebundle_()[0]["text/html"]
    assert "is &lt;this&gt; kept" in html
    assert list(chat.to_pandas()["answer"]) == ["is <this> kept "]


def test_parameters_can_be_changed_on_the_page() -> None:
    model = Talker()
    chat = Chat(model)
    Page(chat).ask("parameters", values={"system": "S", "temperature": 0.5, "top_p": None, "max_tokens": 12.0, "seed": "x"})
    chat.ask("go")
    until(idle(chat), "the answer")
    assert model.asked[0][1] == {"temperature": 0.5, "max_tokens": 12}
    assert model.asked[0][0][0] == {"role": "system", "content": "S"}


def test_what_cannot_be_talked_to_is_refused() -> None:
    with pytest.raises(ArgumentError):
        Chat("pocket")  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(ArgumentError):
        Chat([])
