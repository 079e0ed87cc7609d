"""The diffusers server around tiny models of the families beside Stable Diffusion 1: what each takes, what it is refused, where it ends."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from family_answers import family_answers, said
from PIL import Image

DRAW, EDIT = "/v1/images/generations", "/v1/images/edits"


def address(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> str:
    held = io.BytesIO()
    Image.new(mode, size, 255 if mode == "L" else (90, 120, 200)).save(held, "PNG")
    return "data:image/png;base64," + base64.b64encode(held.getvalue()).decode()


def ask(*, gone: float = 0.0, **body: Any) -> dict[str, Any]:
    fields = {"prompt": "a cat", "seed": 1, "num_inference_steps": 2, **body}
    return {"path": EDIT if "image" in body else DRAW, "body": fields, "gone": gone}


def edit(**body: Any) -> dict[str, Any]:
    return ask(image=address(), **body)


def hole(**body: Any) -> dict[str, Any]:
    return edit(mask=address("L"), **body)


SMALL = {"size": "64x48"}
ENDLESS = {"num_inference_steps": 500, "gone": 0.2}
QUESTIONS: dict[str, list[dict[str, Any]]] = {
    "sdxl": [
        ask(**SMALL),
        ask(**SMALL),
        ask(**SMALL, guidance_scale=9, negative_prompt="a dog"),
        edit(strength=0.8),
        hole(strength=0.8),
        edit(strength=0.2),
        ask(**SMALL, true_cfg_scale=2),
        ask(),
        ask(**ENDLESS, **SMALL),
    ],
    "sd3": [ask(**SMALL), edit(), hole(), edit(strength=0), ask(size="72x64"), ask(size="64x48", n=2)],
    "flux": [
        ask(**SMALL),
        ask(**SMALL, guidance_scale=9),
        edit(),
        hole(),
        ask(**SMALL, true_cfg_scale=3),
        ask(**SMALL, true_cfg_scale=3, negative_prompt="a dog"),
        ask(**SMALL, negative_prompt="a dog"),
        ask(**SMALL, negative_prompt=""),
    ],
    "kontext": [ask(**SMALL), edit(**SMALL), hole(), ask(**SMALL, guidance_scale=9), ask(**SMALL, image=[address(), address()])],
    "sd_inpaint": [hole(), edit(), ask()],
    "sdxl_pix2pix": [edit(), edit(image_guidance_scale=3), ask(), edit(**ENDLESS)],
    "pixart": [ask(**SMALL), ask(**SMALL, **ENDLESS)],
}


@pytest.fixture(scope="module")
def came(module_home: Path) -> dict[str, dict[str, Any]]:
    asks = [{"kind": kind, "arguments": {"max_size": 64}, "asks": asks} for kind, asks in QUESTIONS.items()]
    return family_answers("diffusers", "pictures", asks)


def sizes(answer: dict[str, Any]) -> list[tuple[int, int]]:
    assert answer["status"] == 200, answer
    return [Image.open(io.BytesIO(base64.b64decode(d["b64_json"]))).size for d in answer["json"]["data"]]


def bytes_of(answer: dict[str, Any]) -> str:
    assert answer["status"] == 200, answer
    return str(answer["json"]["data"][0]["b64_json"])


def test_sdxl_draws_changes_and_fills(came: dict[str, dict[str, Any]]) -> None:
    first, again, guided, changed, filled, idle, other, own, gone = came["sdxl"]["answers"]
    assert came["sdxl"]["options"]["can"] == ["text", "image", "mask"]
    assert bytes_of(first) == bytes_of(again) != bytes_of(guided)
    assert sizes(first) == sizes(changed) == sizes(filled) == [(64, 48)]
    assert "with a strength of 0.2, 2 steps come to none" in said(idle)
    assert said(other) == "StableDiffusionXLPipeline takes no 'true_cfg_scale'."
    assert sizes(own) == [(64, 64)]  # the model is made for 128
    assert gone["status"] == 499
    assert came["sdxl"]["counts"]["steps_total"] < 500


def test_sd3_draws_changes_and_fills(came: dict[str, dict[str, Any]]) -> None:
    first, changed, filled, idle, odd, two = came["sd3"]["answers"]
    assert sizes(first) == sizes(changed) == sizes(filled) == [(64, 48)]
    assert "come to none" in said(idle)
    assert "divisible by 16. The nearest is 64x64." in said(odd)
    assert sizes(two) == [(64, 48)] * 2


def test_flux_is_steered_by_what_its_weights_take(came: dict[str, dict[str, Any]]) -> None:
    first, guided, changed, filled, true, against, ignored, empty = came["flux"]["answers"]
    assert sizes(changed) == sizes(filled) == [(64, 48)]
    assert len({bytes_of(a) for a in (first, guided, true, against)}) == 4  # a true_cfg_scale alone counts as well
    assert bytes_of(empty) == bytes_of(first)
    assert "only with a 'true_cfg_scale' above 1" in said(ignored)


def test_kontext_keeps_to_the_size_that_was_asked_for(came: dict[str, dict[str, Any]]) -> None:
    first, changed, filled, guided, two = came["kontext"]["answers"]
    assert came["kontext"]["options"]["can"] == ["text", "image", "mask"]
    assert sizes(first) == sizes(changed) == sizes(filled) == [(64, 48)]
    assert "take no 'guidance_scale'; 'true_cfg_scale' is what they follow" in said(guided)
    assert "takes one picture; 2 were given" in said(two)


def test_weights_that_look_at_a_picture_are_asked_for_nothing_else(came: dict[str, dict[str, Any]]) -> None:
    filled, unmasked, drawn = came["sd_inpaint"]["answers"]
    assert (came["sd_inpaint"]["options"]["can"], came["sdxl_pix2pix"]["options"]["can"]) == (["mask"], ["image"])
    assert sizes(filled) == [(64, 48)]
    assert said(unmasked).endswith("(changes a picture). It needs a mask.")
    assert "fills a hole in a picture; nothing here" in said(drawn)
    changed, nearer, alone, _ = came["sdxl_pix2pix"]["answers"]
    assert bytes_of(changed) != bytes_of(nearer)
    assert "changes a picture; nothing here" in said(alone)


def test_each_step_can_be_the_last_where_the_pipeline_calls_nobody_back(came: dict[str, dict[str, Any]]) -> None:
    for kind in ("sdxl_pix2pix", "pixart"):
        assert came[kind]["answers"][-1]["status"] == 499
        assert 0 < came[kind]["counts"]["steps_total"] < 500
    assert sizes(came["pixart"]["answers"][0]) == [(64, 48)]
