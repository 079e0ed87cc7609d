"""Every vendor's data run through its codec: the address, the header that carries the key, and nothing of the key elsewhere.

The table is written from the vendors' documents, not from the data files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from workbench import registry
from workbench.core.endpoints import Timeouts
from workbench.core.media import Media
from workbench.core.messages import ChatRequest, as_messages
from workbench.core.typed import DrawRequest, EmbedRequest, RerankRequest, SpeakRequest, TranscribeRequest
from workbench.modules.vendors.online_endpoint import OnlineTarget, resolve
from workbench.providers import catalog
from workbench.runtime.answering.channel import Channel
from workbench.runtime.network.deadline import Deadline
from workbench.runtime.network.exchange import Exchange
from workbench.runtime.secrets import keys

MARK = "MARKEDKEY"
BEARER, X_API, API_KEY, GOOGLE = "authorization: Bearer", "x-api-key:", "api-key:", "x-goog-api-key:"

# (source, type, model) → (address, how the key is carried)
TABLE: dict[tuple[str, str, str], tuple[str, str]] = {
    ("openai", "llm", ""): ("https://api.openai.com/v1/chat/completions", BEARER),
    ("openai", "embed", ""): ("https://api.openai.com/v1/embeddings", BEARER),
    ("openai", "stt", ""): ("https://api.openai.com/v1/audio/transcriptions", BEARER),
    ("openai", "tts", ""): ("https://api.openai.com/v1/audio/speech", BEARER),
    ("openai", "sd", ""): ("https://api.openai.com/v1/images/generations", BEARER),
    ("openai", "image_editing", ""): ("https://api.openai.com/v1/images/edits", BEARER),
    ("azure_openai", "llm", "mine"): ("https://res.openai.azure.com/openai/v1/chat/completions", API_KEY),
    ("azure_openai", "embed", "mine"): ("https://res.openai.azure.com/openai/v1/embeddings", API_KEY),
    ("azure_speech", "tts", ""): ("https://westeurope.tts.speech.microsoft.com/cognitiveservices/v1", "ocp-apim-subscription-key:"),
    ("anthropic", "llm", ""): ("https://api.anthropic.com/v1/messages", X_API),
    ("gemini", "llm", ""): ("https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse", GOOGLE),
    ("gemini", "embed", ""): ("https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:batchEmbedContents", GOOGLE),
    ("gemini", "sd", "imagen-4"): ("https://generativelanguage.googleapis.com/v1beta/models/imagen-4:predict", GOOGLE),
    ("bedrock", "llm", "amazon.nova-lite-v1:0"): (
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse-stream",
        BEARER,
    ),
    ("bedrock", "embed", ""): ("https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.titan-embed-text-v2%3A0/invoke", BEARER),
    ("bedrock", "rerank", ""): ("https://bedrock-agent-runtime.us-east-1.amazonaws.com/rerank", "authorization: AWS4-HMAC-SHA256"),
    ("sensenova", "llm", ""): ("https://api.sensenova.cn/compatible-mode/v1/chat/completions", "authorization: Bearer"),
    ("sensenova", "embed", ""): ("https://api.sensenova.cn/v1/llm/embeddings", "authorization: Bearer"),
    ("glm", "llm", ""): ("https://open.bigmodel.cn/api/paas/v4/chat/completions", BEARER),
    ("glm", "embed", ""): ("https://open.bigmodel.cn/api/paas/v4/embeddings", BEARER),
    ("glm", "rerank", ""): ("https://open.bigmodel.cn/api/paas/v4/rerank", BEARER),
    ("glm", "stt", ""): ("https://open.bigmodel.cn/api/paas/v4/audio/transcriptions", BEARER),
    ("glm", "tts", ""): ("https://open.bigmodel.cn/api/paas/v4/audio/speech", BEARER),
    ("glm", "sd", ""): ("https://open.bigmodel.cn/api/paas/v4/images/generations", BEARER),
    ("kimi", "llm", ""): ("https://api.moonshot.cn/v1/chat/completions", BEARER),
    ("qwen", "llm", ""): ("https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions", BEARER),
    ("qwen", "embed", ""): ("https://dashscope.aliyuncs.com/compatible-mode/v1/embeddings", BEARER),
    ("qwen", "cross_modal_embed", ""): (
        "https://dashscope.aliyuncs.com/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding",
        BEARER,
    ),
    ("qwen", "rerank", ""): ("https://dashscope.aliyuncs.com/api/v1/services/rerank/text-rerank/text-rerank", BEARER),
    ("qwen", "stt", ""): ("https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions", BEARER),
    ("qwen", "stt", "paraformer-v2"): ("https://dashscope.aliyuncs.com/api/v1/services/audio/asr/transcription", BEARER),
    ("qwen", "tts", ""): ("https://dashscope.aliyuncs.com/api/v1/services/aigc/multimodal-generation/generation", BEARER),
    ("qwen", "sd", ""): ("https://dashscope.aliyuncs.com/api/v1/services/aigc/multimodal-generation/generation", BEARER),
    ("qwen", "sd", "wanx2.1-t2i-turbo"): ("https://dashscope.aliyuncs.com/api/v1/services/aigc/text2image/image-synthesis", BEARER),
    ("doubao", "llm", ""): ("https://ark.cn-beijing.volces.com/api/v3/chat/completions", BEARER),
    ("doubao", "embed", ""): ("https://ark.cn-beijing.volces.com/api/v3/embeddings", BEARER),
    ("doubao", "cross_modal_embed", ""): ("https://ark.cn-beijing.volces.com/api/v3/embeddings/multimodal", BEARER),
    ("doubao", "sd", ""): ("https://ark.cn-beijing.volces.com/api/v3/images/generations", BEARER),
    ("doubao", "image_editing", ""): ("https://ark.cn-beijing.volces.com/api/v3/images/generations", BEARER),
    ("doubao", "tts", ""): ("https://openspeech.bytedance.com/api/v3/tts/unidirectional", "x-api-app-id:"),
    ("doubao", "stt", ""): ("https://openspeech.bytedance.com/api/v3/auc/bigmodel/recognize/flash", "x-api-app-key:"),
    ("deepseek", "llm", ""): ("https://api.deepseek.com/chat/completions", BEARER),
    ("ppio", "llm", ""): ("https://api.ppio.com/openai/v1/chat/completions", BEARER),
    ("ppio", "rerank", ""): ("https://api.ppio.com/openai/v1/rerank", BEARER),
    ("siliconflow", "llm", ""): ("https://api.siliconflow.cn/v1/chat/completions", BEARER),
    ("siliconflow", "rerank", ""): ("https://api.siliconflow.cn/v1/rerank", BEARER),
    ("siliconflow", "stt", ""): ("https://api.siliconflow.cn/v1/audio/transcriptions", BEARER),
    ("siliconflow", "tts", ""): ("https://api.siliconflow.cn/v1/audio/speech", BEARER),
    ("siliconflow", "sd", ""): ("https://api.siliconflow.cn/v1/images/generations", BEARER),
    ("siliconflow", "image_editing", ""): ("https://api.siliconflow.cn/v1/images/generations", BEARER),
    ("minimax", "llm", ""): ("https://api.minimaxi.com/v1/chat/completions", BEARER),
    ("minimax", "embed", ""): ("https://api.minimaxi.com/v1/embeddings", BEARER),
    ("minimax", "tts", ""): ("https://api.minimaxi.com/v1/t2a_v2", BEARER),
    ("minimax", "sd", ""): ("https://api.minimaxi.com/v1/image_generation", BEARER),
    ("baichuan", "llm", ""): ("https://api.baichuan-ai.com/v1/chat/completions", BEARER),
    ("sparkdesk", "llm", ""): ("https://spark-api-open.xf-yun.com/v1/chat/completions", BEARER),
    ("sparkdesk", "llm", "x1"): ("https://spark-api-open.xf-yun.com/v2/chat/completions", BEARER),
    ("sparkdesk_socket", "llm", "generalv3"): ("wss://spark-api.xf-yun.com/v3.1/chat?authorization=", ""),
    ("qianfan", "llm", ""): ("https://qianfan.baidubce.com/v2/chat/completions", BEARER),
    ("qianfan", "rerank", ""): ("https://qianfan.baidubce.com/v2/rerank", BEARER),
    ("yi", "llm", ""): ("https://api.lingyiwanwu.com/v1/chat/completions", BEARER),
    ("openrouter", "llm", ""): ("https://openrouter.ai/api/v1/chat/completions", BEARER),
    ("openrouter", "sd", ""): ("https://openrouter.ai/api/v1/images", BEARER),
    ("aiping", "llm", ""): ("https://aiping.cn/api/v1/chat/completions", BEARER),
    ("ollama", "llm", "qwen3"): ("http://127.0.0.1:11434/v1/chat/completions", ""),
    ("lm_studio", "llm", "mine"): ("http://127.0.0.1:1234/v1/chat/completions", ""),
    ("mistral", "llm", ""): ("https://api.mistral.ai/v1/chat/completions", BEARER),
    ("cohere", "rerank", ""): ("https://api.cohere.com/v2/rerank", BEARER),
    ("cohere", "embed", ""): ("https://api.cohere.com/v2/embed", BEARER),
    ("xai", "llm", ""): ("https://api.x.ai/v1/chat/completions", BEARER),
    ("groq", "llm", ""): ("https://api.groq.com/openai/v1/chat/completions", BEARER),
    ("together", "llm", ""): ("https://api.together.ai/v1/chat/completions", BEARER),
}
EVERY = [(p.name, type_) for p in catalog.every() for type_ in p.capabilities]


@pytest.fixture(autouse=True)
def accounts(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A key of every vendor in the variables, each with a mark; local servers need none."""
    monkeypatch.chdir(tmp_path)
    for provider in catalog.every():
        if provider.key_sets:
            for part, names in provider.key_variables.items():
                monkeypatch.setenv(names[0], f"{MARK}-{provider.name}-{part}")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://res.openai.azure.com")
    monkeypatch.setenv("AZURE_SPEECH_REGION", "westeurope")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AZURE_OPENAI_AD_TOKEN"):
        monkeypatch.delenv(name, raising=False)


async def sent(target: OnlineTarget) -> tuple[str, bytes, Mapping[str, str]]:
    """Address, body and headers of a request as it would go out."""
    chat = target.type in ("llm", "vlm")
    wire = registry.get("dialect" if chat else "codec", target.endpoint.dialect)(target.endpoint.options)
    exchange = Exchange(target.endpoint, wire, Channel(), Timeouts(), Deadline(Timeouts()))
    url, body, headers = exchange._prepare(wire.encode(request(target)))
    return url, body or b"", {k.lower(): v for k, v in headers.items()}


def request(target: OnlineTarget) -> object:
    model = target.endpoint.model
    sound = Media("audio", "audio/wav", b"RIFF0000WAVE", "https://files.example/a.wav")
    picture = Media("image", "image/png", b"\x89PNG\r\n\x1a\n")
    return {
        "llm": ChatRequest(as_messages("Hello"), model, parameters={"temperature": 0.5, "max_tokens": 5}),
        "vlm": ChatRequest(as_messages("Hello"), model),
        "embed": EmbedRequest(("a",), model),
        "cross_modal_embed": EmbedRequest(("a",), model),
        "rerank": RerankRequest("q", ("a", "b"), 1, model),
        "stt": TranscribeRequest(sound, model),
        "tts": SpeakRequest("Hello", "", model),
        "sd": DrawRequest("a cat", model=model),
        "image_editing": DrawRequest("a cat", (picture,), model=model),
    }[target.type]


@pytest.mark.parametrize(("place", "wanted"), TABLE.items(), ids=lambda v: "-".join(filter(None, v)) if len(v) == 3 else "")
async def test_a_request_goes_where_the_vendor_documents_and_carries_the_key_its_way(place: tuple[str, str, str], wanted: tuple[str, str]) -> None:
    source, type_, model = place
    url, _, headers = await sent(resolve(source, model, type_))
    assert url == wanted[0] or (wanted[0].endswith("=") and url.startswith(wanted[0]))  # a signature changes with the time
    name, _, start = wanted[1].partition(":")
    if name:
        assert headers[name].startswith(start.strip())
        assert MARK in headers[name] or "eyJ" in headers[name]  # a JSON Web Token stands for a pair
    else:
        assert not any(MARK in value for value in headers.values())


@pytest.mark.parametrize(("source", "type_"), EVERY)
async def test_every_capability_of_every_vendor_makes_a_request_without_the_key_in_address_or_body(source: str, type_: str) -> None:
    target = resolve(source, "" if catalog.provider(source).capabilities[type_].default_model else "mine", type_)
    url, body, headers = await sent(target)
    assert url.startswith(("https://", "http://127.0.0.1", "wss://"))
    assert "{" not in url
    assert MARK not in url
    assert MARK.encode() not in body.replace(f"{MARK}-{source}-app_id".encode(), b"")  # an application's id is no secret
    assert MARK not in repr(headers)
    assert MARK not in repr(target)
    assert MARK not in json.dumps(target.endpoint.to_json())


@pytest.mark.parametrize("source", [p.name for p in catalog.every() if p.key_sets])
def test_without_a_key_the_error_names_the_source_a_variable_and_the_command(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.errors import AuthenticationFailed

    provider = catalog.provider(source)
    for part in provider.key_variables:
        for name in keys.variables(provider, part):
            monkeypatch.delenv(name, raising=False)
    type_ = next(iter(provider.capabilities))
    with pytest.raises(AuthenticationFailed) as error:
        resolve(source, "m", type_)
    said = str(error.value)
    assert source in said
    assert f"workbench keys set {source}" in said
    assert keys.variable_to_set(provider, provider.sets_of(type_)[0][0]) in said


async def test_a_picture_goes_into_the_body_as_the_vendor_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """xAI: ``image: {url}``; Volcengine: ``image``; SenseNova: ``images[{image_url}]``; OpenRouter: ``input_references``; OpenAI: a form."""
    bodies = {}
    for source in ("xai", "doubao", "sensenova", "openrouter"):
        _, body, _ = await sent(resolve(source, "", "image_editing"))
        bodies[source] = json.loads(body)
    assert bodies["xai"]["image"]["url"].startswith("data:image/png;base64,")
    assert bodies["doubao"]["image"].startswith("data:image/png;base64,")
    assert bodies["sensenova"]["images"][0]["image_url"].startswith("data:image/png;base64,")
    assert bodies["openrouter"]["input_references"][0]["image_url"]["url"].startswith("data:image/png;base64,")
    _, form, headers = await sent(resolve("openai", "", "image_editing"))
    assert headers["content-type"].startswith("multipart/form-data")
    assert b'name="image"' in form


async def test_chat_bodies_follow_the_vendors_quirks() -> None:
    async def body(source: str, model: str = "") -> dict[str, object]:
        _, content, _ = await sent(resolve(source, model, "llm"))
        return json.loads(content)  # type: ignore[no-any-return]

    assert (await body("openai"))["max_completion_tokens"] == 5
    assert (await body("qwen"))["max_tokens"] == 5
    assert (await body("minimax"))["reasoning_split"] is True
    assert "stream_options" not in await body("sparkdesk")
    assert "stream_options" not in await body("mistral")
    assert (await body("anthropic"))["max_tokens"] == 5
    assert (await body("gemini"))["generationConfig"] == {"temperature": 0.5, "maxOutputTokens": 5}
    assert (await body("bedrock"))["inferenceConfig"] == {"maxTokens": 5, "temperature": 0.5}
