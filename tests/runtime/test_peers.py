"""Real peers: a server that somebody else wrote answers our dialects, and vendors' own clients are answered by what we serve."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from workbench.core.messages import ChatRequest, Message, ToolCall, as_messages
from workbench.errors import AuthenticationFailed, ContextTooLong
from workbench.runtime.answering.client import acomplete, open_stream
from workbench.runtime.network import calls

from .test_client import ENDLESS, Engine, start_engine, until

SHORT = {"max_tokens": 40, "temperature": 0}
QUESTIONS = ["Hello!", "What can you do?", "Who are you?"]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = start_engine(tmp_path_factory.mktemp("peers"))
    yield engine
    engine.process.terminate()
    assert engine.process.wait(5) == 0


def test_the_same_question_has_the_same_answer_in_both_formats(engine: Engine) -> None:
    for question in QUESTIONS:
        request = ChatRequest((Message("system", "You are nice."), *as_messages(question)), parameters=SHORT)
        answers = [open_stream(replace(engine.endpoint, dialect=d), request).join() for d in ("openai_chat", "anthropic_messages")]
        assert answers[0].text == answers[1].text
        assert answers[0].finish_reason == answers[1].finish_reason
        assert answers[0].usage.completion_tokens == answers[1].usage.completion_tokens


def test_a_conversation_with_tools_and_their_results_is_understood_in_anthropics_format(engine: Engine) -> None:
    tool = {"type": "function", "function": {"name": "now", "description": "The time.", "parameters": {"type": "object", "properties": {}}}}
    turns = (
        *as_messages("What time is it?"),
        Message("assistant", "", tool_calls=(ToolCall("t1", "now", "{}"),)),
        Message("tool", "noon", tool_call_id="t1"),
        Message("user", "Thanks!"),
    )
    for dialect in ("openai_chat", "anthropic_messages"):
        answer = open_stream(replace(engine.endpoint, dialect=dialect), ChatRequest(turns, tools=(tool,), parameters=SHORT)).join()
        assert answer.text
        assert answer.usage.prompt_tokens > 0


def test_anthropics_format_tells_length_wrong_keys_and_long_prompts(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = replace(engine.endpoint, dialect="anthropic_messages")
    assert open_stream(endpoint, ChatRequest(as_messages("What can you do?"), parameters={"max_tokens": 3})).join().finish_reason == "length"
    with pytest.raises(ContextTooLong):
        open_stream(endpoint, ChatRequest(as_messages("x " * 5000))).join()
    monkeypatch.setenv("WRONG", "wrong-key")
    with pytest.raises(AuthenticationFailed):
        open_stream(replace(endpoint, key_file="", key_env="WRONG"), ChatRequest(as_messages("Hi"))).join()


def test_closing_a_stream_in_anthropics_format_stops_the_engine(engine: Engine) -> None:
    stream = open_stream(replace(engine.endpoint, dialect="anthropic_messages"), ChatRequest(as_messages("Hi"), parameters=ENDLESS))
    next(stream)
    assert engine.busy() == 1
    stream.close()
    until(lambda: engine.busy() == 0)


def test_async_calls_at_once_do_not_mix_in_either_format(engine: Engine) -> None:
    async def ask() -> list[str]:
        requests = [(d, q) for q in QUESTIONS for d in ("openai_chat", "anthropic_messages")] * 2
        answers = await asyncio.gather(
            *(acomplete(replace(engine.endpoint, dialect=d), ChatRequest(as_messages(q), parameters=SHORT)) for d, q in requests)
        )
        return [a.text for a in answers]

    texts = asyncio.run(ask())
    assert texts[:6] == texts[6:]
    assert len(set(texts)) == len(QUESTIONS)


def test_a_schema_is_kept_to_by_the_real_server(engine: Engine) -> None:
    schema = {"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": ["yes"], "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    answer = open_stream(engine.endpoint, ChatRequest(as_messages("Is it?"), parameters={**SHORT, "response_format": form})).join()
    assert list(json.loads(answer.text)) == ["yes"]


def test_the_server_lists_its_model(engine: Engine) -> None:
    assert calls.models(engine.endpoint) == ["pocket"]
    assert calls.models(replace(engine.endpoint, dialect="anthropic_messages")) == ["pocket"]


def test_openais_own_client_is_answered(engine: Engine) -> None:
    import openai

    ours = open_stream(engine.endpoint, ChatRequest(as_messages("Hello!"), parameters=SHORT)).join()
    with openai.OpenAI(base_url=engine.endpoint.url, api_key=engine.key) as client:
        whole = client.chat.completions.create(model="pocket", messages=[{"role": "user", "content": "Hello!"}], max_tokens=40, temperature=0)
        assert whole.choices[0].message.content == ours.text
        assert whole.usage is not None
        assert whole.usage.completion_tokens == ours.usage.completion_tokens
        stream = client.chat.completions.create(
            model="pocket", messages=[{"role": "user", "content": "Hello!"}], max_tokens=40, temperature=0, stream=True
        )
        assert "".join(c.choices[0].delta.content or "" for c in stream if c.choices) == ours.text
        assert [m.id for m in client.models.list()] == ["pocket"]
    with openai.OpenAI(base_url=engine.endpoint.url, api_key="wrong") as client, pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model="pocket", messages=[{"role": "user", "content": "Hello!"}])


def test_anthropics_own_client_is_answered(engine: Engine) -> None:
    import anthropic

    ours = open_stream(replace(engine.endpoint, dialect="anthropic_messages"), ChatRequest(as_messages("Hello!"), parameters=SHORT)).join()
    with anthropic.Anthropic(base_url=engine.endpoint.url.removesuffix("/v1"), api_key=engine.key) as client:
        extra = {"temperature": 0}
        whole = client.messages.create(model="pocket", max_tokens=40, messages=[{"role": "user", "content": "Hello!"}], extra_body=extra)
        assert "".join(b.text for b in whole.content if b.type == "text") == ours.text
        with client.messages.stream(model="pocket", max_tokens=40, messages=[{"role": "user", "content": "Hello!"}], extra_body=extra) as stream:
            assert "".join(stream.text_stream) == ours.text


def test_threads_share_the_connections(engine: Engine) -> None:
    def ask(question: str) -> str:
        return open_stream(engine.endpoint, ChatRequest(as_messages(question), parameters=SHORT)).join().text

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(ask, QUESTIONS * 8))
    assert all(texts[i] == texts[i % 3] for i in range(len(texts)))
