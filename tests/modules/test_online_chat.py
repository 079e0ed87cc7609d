"""Online chat modules against a scripted server: what is sent, with which key, and what is said when it cannot be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_http import Asked, Reply, Scripted

import workbench as wb
from workbench.core.endpoints import Timeouts
from workbench.errors import ArgumentError, AuthenticationFailed, RateLimited, SettingsError
from workbench.modules.vendors.online_chat import OnlineChatModule
from workbench.providers import catalog
from workbench.runtime.secrets import keys


def chunk(delta: dict[str, object], finish: str | None = None) -> bytes:
    return b"data: " + json.dumps({"id": "r1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).encode() + b"\n\n"


def says(text: str = "Hello there", usage: tuple[int, int] = (1000, 100)) -> Reply:
    counted = {"id": "r1", "choices": [], "usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1]}}
    pieces = [chunk({"content": text[:5]}), chunk({"content": text[5:]}, "stop"), b"data: " + json.dumps(counted).encode() + b"\n\ndata: [DONE]\n\n"]
    return Reply(body=pieces, mime="text/event-stream")


@pytest.fixture
def server() -> Iterator[Scripted]:
    server = Scripted(lambda asked: says())
    yield server
    server.close()


@pytest.fixture(autouse=True)
def no_keys(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for provider in catalog.every():
        for part in provider.key_variables:
            for name in keys.variables(provider, part):
                monkeypatch.delenv(name, raising=False)


def test_any_server_is_asked_without_a_key(server: Scripted) -> None:
    m = wb.OnlineModule("any", url=f"{server.url}/", skip_auth=True)
    assert m("Hi") == "Hello there"
    assert server.last.path == "/v1/chat/completions"
    assert "authorization" not in server.last.headers
    assert server.last.json["model"] == "any"
    assert server.last.json["messages"] == [{"role": "user", "content": "Hi"}]


def test_an_address_alone_needs_no_key_and_never_gets_a_vendors(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    m = wb.OnlineModule("gpt-4o-mini", url=f"{server.url}/chat/completions")
    m("Hi")
    assert m.source == "openai_compatible"
    assert "authorization" not in server.last.headers


def test_a_source_with_another_address_takes_its_key_there(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    wb.OnlineChatModule(source="openai", base_url=server.url)("Hi")
    assert server.last.headers["authorization"] == "Bearer sk-of-openai"


def test_a_vendors_address_may_come_from_a_variable(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    wb.OnlineModule("openai")("Hi", max_tokens=7)
    assert server.last.json["max_completion_tokens"] == 7
    assert "max_tokens" not in server.last.json


def test_several_keys_are_taken_in_turn_when_one_is_refused(server: Scripted) -> None:
    used: list[str] = []

    def answer(asked: Asked) -> Reply:
        key = asked.headers["authorization"].removeprefix("Bearer ")
        used.append(key)
        if key == "spent":
            return Reply({"error": {"message": "quota", "code": "insufficient_quota"}}, status=429)
        return says() if key == "good" else Reply({"error": {"message": "bad key", "code": "invalid_api_key"}}, status=401)

    other = Scripted(answer)
    try:
        m = wb.OnlineChatModule("m", source="openai", url=other.url, api_key=["wrong", "spent", "good"])
        assert m("Hi") == "Hello there"
        assert m("Again") == "Hello there"
        assert used == ["wrong", "spent", "good", "good"]
        with pytest.raises(AuthenticationFailed):
            wb.OnlineChatModule("m", source="openai", url=other.url, api_key=["wrong", "bad"])("Hi")
        with pytest.raises(RateLimited):
            wb.OnlineChatModule("m", source="openai", url=other.url, api_key="spent")("Hi")
    finally:
        other.close()


def test_parameters_of_the_module_of_a_call_and_beyond(server: Scripted) -> None:
    m = wb.OnlineChatModule("m", url=server.url, static_params={"temperature": 0.1, "top_p": 0.5}, extra={"a": 1, "b": 1})
    m("Hi", temperature=0.9, extra={"b": 2, "c": {"d": 3}})
    sent = server.last.json
    assert (sent["temperature"], sent["top_p"], sent["a"], sent["b"], sent["c"]) == (0.9, 0.5, 1, 2, {"d": 3})
    assert m.static_params == {"temperature": 0.1, "top_p": 0.5}
    m.static_params = {"seed": 1}
    m("Hi")
    assert server.last.json["seed"] == 1
    assert "temperature" not in server.last.json


def test_a_misspelt_parameter_is_refused_and_a_vendors_own_is_known(server: Scripted) -> None:
    m = wb.OnlineChatModule("glm-5.3", source="glm", url=server.url, api_key="k")
    m("Hi", thinking={"type": "disabled"}, temperature=0.0)
    assert server.last.json["thinking"] == {"type": "disabled"}
    assert server.last.json["temperature"] == 0.01  # the vendor's smallest
    with pytest.raises(ArgumentError, match="temprature"):
        m("Hi", temprature=1)


def test_a_call_may_name_model_address_and_time(server: Scripted) -> None:
    m = wb.OnlineChatModule("m", url="http://127.0.0.1:9/v1")
    assert m("Hi", model="other", url=server.url, timeout=5, max_retries=0) == "Hello there"
    assert server.last.json["model"] == "other"
    assert m.model == "m"


async def test_async_and_streams(server: Scripted) -> None:
    m = wb.OnlineChatModule("m", url=server.url)
    assert await m.acall("Hi") == "Hello there"
    assert [p async for p in m.astream("Hi")] == ["Hello", " there"]
    assert "".join(m.stream("Hi")) == "Hello there"


def test_costs_are_told_where_prices_are_known(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    m = wb.OnlineModule("gpt-4o-mini")
    assert m.cost is None
    answer = m("Hi")
    assert answer.cost == pytest.approx(1000 * 0.15e-6 + 100 * 0.6e-6)
    assert answer.cost.estimated is False
    m("Hi")
    assert m.cost == pytest.approx(2 * answer.cost)
    assert m.cost_of(m.stream("Hi").join()) == answer.cost
    assert m.share().cost is None
    assert wb.OnlineModule("a-model-of-nobody", source="openai")("Hi").cost is None
    assert wb.OnlineModule("gpt-4o-mini", source="openai", url=server.url)("Hi").cost is None  # another server, another price


def test_a_face_keeps_the_endpoint_and_has_its_own_prompt(server: Scripted) -> None:
    m = wb.OnlineChatModule("m", url=server.url)
    pirate = m.share(prompt="Talk like a pirate")
    pirate("Hi")
    assert server.last.json["messages"][0] == {"role": "system", "content": "Talk like a pirate"}
    m("Hi")
    assert len(server.last.json["messages"]) == 1


def test_what_a_module_shows_of_itself(server: Scripted) -> None:
    m = wb.OnlineChatModule("m", source="openai", url=server.url, api_key="sk-never-shown-0001", name="mine")
    assert repr(m) == f"<Module type=OnlineChat name=mine source=openai model=m url={server.url}>"
    assert (m.type, m.series, m.provider.title) == ("LLM", "openai", "OpenAI")
    assert "never-shown" not in repr(vars(m)) + repr(m.endpoint)


def test_proxies_limits_and_certificates_reach_the_endpoint(server: Scripted) -> None:
    m = wb.OnlineChatModule("m", url=server.url, max_retries=0, concurrency=3, requests_per_minute=60, verify=False, timeout=(2, 9))
    assert (m.endpoint.network.max_retries, m.endpoint.network.concurrency, m.endpoint.network.verify) == (0, 3, False)
    assert m.timeouts == Timeouts(connect=2, first_byte=9, gap=9)


# ---- which vendor, and what is refused


def test_the_source_is_told_by_the_model_the_default_or_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "k")
    monkeypatch.setenv("DEEPSEEK_API_KEY", "k")
    made = [wb.OnlineModule(), wb.OnlineModule("qwen-max"), wb.OnlineModule("deepseek"), wb.OnlineModule("deepseek:deepseek-v4-pro")]
    assert [m.source for m in made] == ["qwen", "qwen", "deepseek", "deepseek"]
    assert made[3].model == "deepseek-v4-pro"
    monkeypatch.setenv("LAZYLLM_DEFAULT_SOURCE", "deepseek")
    assert wb.OnlineModule().source == "deepseek"
    assert wb.OnlineModule("gpt-4o").source == "deepseek"  # OpenAI has no key here; the user said where to ask
    assert wb.OnlineModule("qwen/qwen3-8b", source="deepseek").model == "qwen/qwen3-8b"


def test_a_default_model_may_come_from_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "k")
    monkeypatch.setenv("LAZYLLM_QWEN_MODEL_NAME", "qwen-mine")
    monkeypatch.setenv("WORKBENCH_QWEN_EMBED_MODEL_NAME", "embed-mine")
    assert wb.OnlineModule("qwen").model == "qwen-mine"
    assert wb.OnlineModule(source="qwen", type="embed").model == "embed-mine"


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"model": "unheard-of", "api_key": "k"}, ValueError, "No source is given but an api_key is provided"),
        ({"source": "opnai"}, ArgumentError, "Unsupported source: 'opnai'"),
        ({"skip_auth": True}, ValueError, "skip_auth needs an address"),
        ({"url": "http://a/v1", "base_url": "http://b/v1"}, ValueError, "Conflicting parameters"),
        ({"url": "localhost:8000", "model": "m"}, ArgumentError, "no address"),
        ({"source": "openai", "secret_key": "x"}, ArgumentError, "does not know the argument 'secret_key'"),
        ({"url": "http://a/v1", "model": "m", "modle": "x"}, ArgumentError, "Write model="),
        ({"source": "openai", "type": "embed"}, ArgumentError, "OnlineChatModule does not do 'embed'"),
        ({"url": "http://a/v1", "model": "m", "timeout": -1}, ArgumentError, "timeout"),
        ({"url": "http://a/v1", "model": "m", "extra": 3}, ArgumentError, "extra cannot be"),
        ({"url": "http://a/v1", "model": "m", "static_params": 3}, ArgumentError, "static_params"),
        ({"url": "http://a/v1"}, ArgumentError, "needs a model's name"),
        ({"source": "azure_openai", "model": "m", "api_key": "k"}, SettingsError, "AZURE_OPENAI_ENDPOINT"),
        ({"source": "azure_speech", "api_key": "k", "model": "m"}, ArgumentError, "offers no llm|not whole"),
        ({"url": "http://a/v1", "model": "m", "temperature": 1}, ArgumentError, "static_params="),
        ({"source": "sparkdesk_socket", "api_key": "k"}, ArgumentError, "Give app_id=… and api_key=… and api_secret=…\\."),
        ({}, AuthenticationFailed, "No api_key is configured"),
        ({"model": "opnai"}, AuthenticationFailed, "Nothing tells whose model 'opnai' is \\('openai' is the nearest"),
        ({"source": "kimi"}, AuthenticationFailed, "MOONSHOT_API_KEY"),
    ],
)
def test_what_cannot_be_is_refused_at_once(arguments: dict[str, object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        OnlineChatModule(**arguments)  # type: ignore[arg-type]


def test_nothing_configured_lists_the_choices() -> None:
    with pytest.raises(AuthenticationFailed) as error:
        wb.OnlineModule()
    assert "openai (OPENAI_API_KEY)" in str(error.value)
    assert "workbench keys set <source>" in str(error.value)


def test_parts_of_a_key_and_of_an_address_may_be_given() -> None:
    nova = wb.OnlineChatModule(source="sensenova", api_key="ak", secret_key="sk")
    assert nova.base_url == "https://api.sensenova.cn/compatible-mode/v1"
    assert dict(keys.credentials_of(nova.endpoint)) == {"key": "ak", "secret_key": "sk"}
    assert wb.OnlineChatModule(source="sensenova", api_key="sk-x").base_url == "https://token.sensenova.cn/v1"
    assert wb.OnlineChatModule(source="bedrock", api_key="k", region="eu-west-1").base_url == "https://bedrock-runtime.eu-west-1.amazonaws.com"
    assert wb.OnlineChatModule(source="kimi", api_key="k", host="api.moonshot.ai").base_url == "https://api.moonshot.ai/v1"


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"model": "m"}, "OnlineChatModule"),
        ({"model": "m", "type": "vlm"}, "OnlineChatModule"),
        ({"model": "m", "function": "embed"}, "OnlineEmbeddingModule"),
        ({"model": "m", "type": "rerank"}, "OnlineEmbeddingModule"),
        ({"model": "bge-m3"}, "OnlineEmbeddingModule"),
        ({"model": "m", "type": "stt"}, "OnlineMultiModalModule"),
        ({"model": "m", "type": "text2image"}, "OnlineMultiModalModule"),
    ],
)
def test_the_type_decides_the_class(arguments: dict[str, object], kind: str) -> None:
    m = wb.OnlineModule(url="http://127.0.0.1:9/v1", skip_auth=True, **arguments)  # type: ignore[arg-type]
    assert type(m).__name__ == kind
    assert isinstance(m, wb.OnlineModule)
    assert isinstance(m, wb.ModuleBase)


def test_an_unknown_type_names_the_choices() -> None:
    with pytest.raises(ArgumentError, match="rerank"):
        wb.OnlineModule("m", url="http://127.0.0.1:9/v1", type="video")


def test_a_local_server_needs_no_key() -> None:
    m = wb.OnlineModule("qwen3:8b", source="ollama")
    assert (m.base_url, m.endpoint.key_ref) == ("http://127.0.0.1:11434/v1", "provider:ollama:llm")
    assert dict(keys.credentials_of(m.endpoint)) == {}


def test_published_examples_make_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAZYLLM_SENSENOVA_API_KEY", "ak")
    monkeypatch.setenv("LAZYLLM_SENSENOVA_SECRET_KEY", "sk")
    monkeypatch.setenv("LAZYLLM_QWEN_API_KEY", "k")
    monkeypatch.setenv("LAZYLLM_GLM_API_KEY", "k")
    made = [
        wb.OnlineChatModule(source="sensenova", stream=True),
        wb.OnlineChatModule(source="sensenova", model="SenseChat-Vision"),
        wb.AutoModel(source="sensenova", model="SenseNova-V6-5-Pro"),
        wb.OnlineModule(type="embed", source="qwen", model="text-embedding-v3"),
        wb.OnlineModule(type="cross_modal_embed", source="qwen", model="qwen2.5-vl-embedding"),
        wb.OnlineModule(type="rerank", source="glm", model="rerank"),
        wb.OnlineModule(source="qwen", type="stt", model="qwen-audio-turbo", api_key="xxx"),
        wb.OnlineModule("glm-4"),
    ]
    assert [m.source for m in made] == ["sensenova"] * 3 + ["qwen", "qwen", "glm", "qwen", "glm"]
    assert made[1].type == "VLM"
    assert made[2].model == "SenseNova-V6-5-Pro"
    assert "secret" not in "".join(map(repr, made))


def test_a_picture_goes_along_with_a_question(server: Scripted, tmp_path: Path) -> None:
    from workbench.formatters import encode_query_with_filepaths

    picture = tmp_path / "cat.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 30)
    m = wb.OnlineChatModule("m", url=server.url, type="vlm")
    for call in (lambda: m("What is it?", files=[picture]), lambda: m(encode_query_with_filepaths("What is it?", [str(picture)]))):
        call()
        text, image = sorted(server.last.json["messages"][0]["content"], key=lambda part: part["type"], reverse=True)
        assert text == {"type": "text", "text": "What is it?"}
        assert image["image_url"]["url"].startswith("data:image/png;base64,")


def test_several_threads_use_one_module(server: Scripted) -> None:
    from concurrent.futures import ThreadPoolExecutor

    m = wb.OnlineChatModule("m", url=server.url)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(m, ["Hi"] * 24)) == {"Hello there"}
    assert m.usage.prompt_tokens == 24 * 1000


def test_a_refused_key_says_where_it_came_from_and_that_regions_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = Scripted(lambda asked: Reply({"error": {"type": "incorrect_api_key_error", "message": "Incorrect API key"}}, status=401))
    monkeypatch.setenv("MOONSHOT_API_KEY", "k")
    monkeypatch.setenv("MOONSHOT_BASE_URL", refusing.url)
    try:
        with pytest.raises(AuthenticationFailed) as error:
            wb.OnlineModule("kimi")("Hi")
    finally:
        refusing.close()
    assert (error.value.source, error.value.status) == ("kimi", 401)
    assert "it came from MOONSHOT_API_KEY (environment)" in error.value.fix
    assert "workbench keys set kimi" in error.value.fix
    assert "host='api.moonshot.ai'" in error.value.fix
