"""Each form of pictures: what is sent, and what is made of the documented answers."""

from __future__ import annotations

import base64
import json
from typing import Any

import openai.types
import pytest

from workbench.core.media import Media
from workbench.core.protocols import FollowUp, Refused
from workbench.core.typed import DrawRequest
from workbench.dialects.images import image_edits, images, size_of
from workbench.errors import ArgumentError

from ..support.openai_types import check_params

PNG = b"\x89PNG\r\n\x1a\n..."
B64 = base64.b64encode(PNG).decode()
CAT = Media("image", "image/png", PNG, "", "cat.png")
URL = CAT.data_url
THERE = "https://example.com/a.jpg"


def test_the_usual_request_is_what_the_openai_package_types() -> None:
    call = images().encode(DrawRequest("a cat", model="m", parameters={"n": 2, "size": "1024x1024", "quality": "high", "background": "opaque"}))
    assert call.path == "/images/generations"
    assert not call.repeatable  # a picture is paid for when it is made
    assert isinstance(call.json, dict)
    check_params(call.json, openai.types.image_generate_params.ImageGenerateParamsNonStreaming)


def test_the_usual_edit_is_a_form_that_the_openai_package_types() -> None:
    call = image_edits().encode(DrawRequest("blue", (CAT, CAT), CAT, "m", {"n": 1, "size": "auto"}))
    known = set(openai.types.image_edit_params.ImageEditParamsBase.__annotations__)
    assert {p.name.removesuffix("[]") for p in call.files} <= known
    assert [p.name for p in call.files] == ["model", "prompt", "n", "size", "image[]", "image[]", "mask"]
    assert [p.name for p in image_edits().encode(DrawRequest("blue", (CAT,), None, "m")).files] == ["model", "prompt", "image"]
    with pytest.raises(ArgumentError, match="no picture"):
        image_edits().encode(DrawRequest("blue"))


SENT: list[tuple[dict[str, Any], tuple[Media, ...], dict[str, Any], dict[str, Any]]] = [
    ({"form": "openai", "images": "image"}, (CAT,), {"size": "2K"}, {"model": "m", "prompt": "p", "image": URL, "size": "2K"}),
    ({"form": "openai", "images": "image"}, (CAT, CAT), {}, {"model": "m", "prompt": "p", "image": [URL, URL]}),
    ({"form": "openai", "images": "images"}, (CAT,), {}, {"model": "m", "prompt": "p", "images": [{"image_url": URL}]}),
    (
        {"form": "openai", "images": "input_references"},
        (CAT,),
        {},
        {"model": "m", "prompt": "p", "input_references": [{"type": "image_url", "image_url": {"url": URL}}]},
    ),
    (
        {"form": "siliconflow"},
        (CAT, CAT),
        {"size": "1024x1024", "n": 2},
        {"model": "m", "prompt": "p", "image": URL, "image2": URL, "image_size": "1024x1024", "batch_size": 2},
    ),
    ({"form": "minimax"}, (), {"size": "1024x768", "n": 2}, {"model": "m", "prompt": "p", "width": 1024, "height": 768, "n": 2}),
    (
        {"form": "nested"},
        (),
        {"size": "1024x768", "negative_prompt": "dog"},
        {"model": "m", "input": {"prompt": "p", "negative_prompt": "dog"}, "extra_body": {"size": "1024x768"}},
    ),
    (
        {"form": "dashscope"},
        (CAT,),
        {"size": "1024x768"},
        {
            "model": "m",
            "input": {"messages": [{"role": "user", "content": [{"image": URL}, {"text": "p"}]}]},
            "parameters": {"size": "1024*768"},
        },
    ),
    (
        {"form": "dashscope_task"},
        (),
        {"n": 1, "negative_prompt": "dog"},
        {"model": "m", "input": {"prompt": "p", "negative_prompt": "dog"}, "parameters": {"n": 1}},
    ),
    (
        {"form": "gemini"},
        (CAT,),
        {"aspect_ratio": "16:9"},
        {
            "contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": B64}}, {"text": "p"}]}],
            "generationConfig": {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "16:9"}},
        },
    ),
    ({"form": "imagen"}, (), {"n": 2}, {"instances": [{"prompt": "p"}], "parameters": {"sampleCount": 2}}),
]


@pytest.mark.parametrize(("options", "pictures", "parameters", "body"), SENT)
def test_a_form_sends_what_is_documented(options: dict[str, Any], pictures: Any, parameters: dict[str, Any], body: dict[str, Any]) -> None:
    call = images(options).encode(DrawRequest("p", pictures, None, "m", parameters))
    assert call.json == body
    assert not call.repeatable


ANSWERS: list[tuple[str, Any, list[tuple[bytes, str]]]] = [
    ("openai", {"data": [{"b64_json": B64}, {"url": THERE}], "usage": {"input_tokens": 3, "output_tokens": 9}}, [(PNG, ""), (b"", THERE)]),
    ("openai", {"data": [{"url": URL}]}, [(PNG, "")]),
    ("siliconflow", {"images": [{"url": THERE}], "timings": {}}, [(b"", THERE)]),
    ("minimax", {"data": {"image_urls": [THERE]}, "base_resp": {"status_code": 0}}, [(b"", THERE)]),
    ("minimax", {"data": {"image_base64": [B64]}, "base_resp": {"status_code": 0}}, [(PNG, "")]),
    ("nested", {"data": [{"url": THERE}]}, [(b"", THERE)]),
    ("dashscope", {"output": {"choices": [{"message": {"content": [{"image": THERE}, {"text": "here"}]}}]}}, [(b"", THERE)]),
    ("gemini", {"candidates": [{"content": {"parts": [{"text": "x"}, {"inlineData": {"mimeType": "image/png", "data": B64}}]}}]}, [(PNG, "")]),
    ("imagen", {"predictions": [{"bytesBase64Encoded": B64, "mimeType": "image/png"}]}, [(PNG, "")]),
]


@pytest.mark.parametrize(("form", "answer", "found"), ANSWERS)
def test_pictures_are_read_in_every_form(form: str, answer: Any, found: list[tuple[bytes, str]]) -> None:
    result = images({"form": form}).decode(200, {}, json.dumps(answer).encode())
    assert [(m.data, m.url) for m in result.media] == found
    assert {m.kind for m in result.media} == {"image"}


def test_a_task_is_asked_for_until_the_pictures_are_there() -> None:
    codec = images({"form": "dashscope_task"})
    assert codec.encode(DrawRequest("p", model="m")).headers == {"X-DashScope-Async": "enable"}
    asked = codec.decode(200, {}, b'{"output":{"task_id":"t","task_status":"PENDING"}}')
    assert isinstance(asked, FollowUp)
    assert asked.decode is not None
    done = {"output": {"task_id": "t", "task_status": "SUCCEEDED", "results": [{"url": THERE}, {"code": "x", "message": "blocked"}]}}
    result = asked.decode(200, {}, json.dumps(done).encode())
    assert [m.url for m in result.media] == [THERE]  # what came is kept


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        ("openai", {"data": []}),
        ("openai", {"data": [{"error": {"message": "blocked"}}]}),
        ("gemini", {"promptFeedback": {"blockReason": "SAFETY"}}),
        ("gemini", {"candidates": [{"content": {"parts": [{"text": "I cannot."}]}, "finishReason": "IMAGE_SAFETY"}]}),
        ("minimax", {"base_resp": {"status_code": 1026, "status_msg": "sensitive"}}),
        ("dashscope", {"code": "DataInspectionFailed", "message": "no"}),
    ],
)
def test_an_answer_without_a_picture_is_a_refusal(form: str, answer: Any) -> None:
    with pytest.raises(Refused):
        images({"form": form}).decode(200, {}, json.dumps(answer).encode())


def test_a_model_that_only_draws_refuses_pictures() -> None:
    with pytest.raises(ArgumentError, match="image_editing"):
        images().encode(DrawRequest("p", (CAT,)))


@pytest.mark.parametrize(
    ("value", "size"), [("1024x768", (1024, 768)), ("1024*768", (1024, 768)), ((3, 4), (3, 4)), ("auto", None), (None, None), ("2K", None)]
)
def test_sizes_are_read(value: Any, size: Any) -> None:
    assert size_of(value) == size
