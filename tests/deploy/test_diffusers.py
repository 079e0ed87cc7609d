"""The real diffusers server on a tiny Stable Diffusion: pictures, edits, masks, seeds that repeat, refusals, callers that go."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from PIL import Image
from tiny_models import tiny

import workbench as wb
from workbench.core.protocols import JobPlace
from workbench.core.specs import DeploySpec
from workbench.deploy.diffusers_server import DiffusersServer
from workbench.errors import ArgumentError, BadRequest, JobFailed, ModelNotFound

from ..support.guarded import assert_guarded


@pytest.fixture(scope="module")
def draws(module_home: Path) -> Any:
    """A started model."""
    return wb.TrainableModule(str(tiny("sd"))).deploy_method(wb.deploy.diffusers, steps=3, max_size=256).start()


@pytest.fixture
def bare(draws: Any) -> Iterator[httpx.Client]:
    """The server, as any client sees it."""
    key = Path(draws.endpoint.key_file).read_text().strip()
    with httpx.Client(base_url=draws.endpoint.url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        yield client


def picture(value: int, size: tuple[int, int] = (64, 64)) -> Image.Image:
    return Image.new("RGB", size, (value, value, value))


def png(image: Image.Image) -> bytes:
    held = io.BytesIO()
    image.save(held, "PNG")
    return held.getvalue()


def counted(bare: httpx.Client, name: str) -> float:
    text = bare.get(str(bare.base_url).replace("/v1/", "/metrics")).text
    return next((float(line.split()[1]) for line in text.splitlines() if line.startswith(f"workbench:{name} ")), 0.0)


def test_pictures_have_the_size_that_was_asked_for_and_a_seed_repeats_them(draws: Any) -> None:
    assert draws.type == "SD"
    assert draws.endpoint.options["can"] == ["text", "image", "mask"]
    first = draws("a cat", seed=7, size="48x64")
    assert (len(first), first[0].size, first[0].mime) == (1, (48, 64), "image/png")
    assert draws("a cat", seed=7, size="48x64")[0].data == first[0].data
    two = draws("a cat", seed=7, size="48x64", n=2)
    assert two[0].data == first[0].data
    assert two[1].data == draws("a cat", seed=8, size="48x64")[0].data != first[0].data
    assert draws("a cat")[0].data != draws("a cat")[0].data
    told = draws("a cat", seed=7, size="48x64", num_inference_steps=2, guidance_scale=3, negative_prompt="a dog")
    assert told[0].data != first[0].data
    assert draws("a cat", seed=7, output_format="jpeg")[0].mime == "image/jpeg"


def test_a_picture_is_changed_by_the_same_weights_and_a_mask_says_where(draws: Any, bare: httpx.Client) -> None:
    changed = draws("blue", files=picture(128), seed=1, strength=0.8)
    assert changed[0].size == (64, 64)
    assert changed[0].data == draws("blue", files=picture(128), seed=1, strength=0.8)[0].data
    assert draws("blue", files=picture(128, (50, 70)))[0].size == (48, 72)
    assert draws("blue", files=picture(128, (1000, 500)))[0].size == (256, 128)

    hole = np.full((64, 64, 4), 255, np.uint8)
    hole[:32, :, 3] = 0
    form = {"prompt": "blue", "seed": "3", "strength": "1.0", "num_inference_steps": "3"}
    white = np.zeros((64, 64), np.uint8)
    white[:32] = 255
    answers = [
        bare.post("images/edits", data=form, files={"image": ("a.png", png(picture(200))), "mask": ("m.png", png(Image.fromarray(mask)))})
        for mask in (hole, white)
    ]
    assert [a.status_code for a in answers] == [200, 200], answers[0].text
    made = [a.json()["data"][0]["b64_json"] for a in answers]
    assert made[0] == made[1]  # transparent and white mean the same
    assert Image.open(io.BytesIO(base64.b64decode(made[0]))).size == (64, 64)


def test_image_editing_and_openais_client_use_the_same_server(draws: Any) -> None:
    client: Any = openai.OpenAI(base_url=draws.endpoint.url, api_key=Path(draws.endpoint.key_file).read_text().strip())
    made = client.images.generate(model=draws.endpoint.model, prompt="a cat", size="64x64", n=2, extra_body={"seed": 5})
    assert [Image.open(io.BytesIO(base64.b64decode(d.b64_json))).size for d in made.data] == [(64, 64), (64, 64)]
    edited = client.images.edit(model=draws.endpoint.model, image=("a.png", png(picture(9))), prompt="blue")
    assert edited.data
    assert [m.id for m in client.models.list().data] == [draws.endpoint.model]
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=draws.endpoint.url, api_key="wrong").models.list()
    assert_guarded(draws.endpoint, pid=draws.deployment.record.pid)
    mine = wb.TrainableModule(str(tiny("sd")), type="image_editing").deploy_method(wb.deploy.diffusers, steps=3, max_size=256).start()
    assert (mine.endpoint.job_id, mine.type) == (draws.endpoint.job_id, "IMAGE_EDITING")
    assert mine("blue", files=png(picture(10)), mask=png(picture(255)))[0].size == (64, 64)
    editing = wb.OnlineModule("sd", type="image_editing", url=draws.endpoint.url, api_key=Path(draws.endpoint.key_file).read_text().strip())
    assert editing("blue", files=png(picture(10)), mask=png(picture(255)))[0].size == (64, 64)


def test_what_cannot_be_made_is_refused_with_what_can(draws: Any, bare: httpx.Client) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"size": "50x64"}, "'size' cannot be 50x64: sides are from 8 to 256 and divisible by 8. The nearest is 48x64."),
        ({"size": "1024x1024"}, "The nearest is 256x256."),
        ({"size": "0x-8"}, "The nearest is 8x8."),
        ({"size": "large"}, "like '512x512'"),
        ({"n": 11}, "'n' is 11; it has to be from 1 to 10."),
        ({"seed": -1}, "'seed' is -1"),
        ({"strength": 0.5}, "StableDiffusionPipeline takes no 'strength'."),
        ({"num_inference_steps": 0}, "'num_inference_steps' is 0"),
        ({"response_format": "url"}, "it is one of: b64_json"),
        ({"quality": "hd"}, "There is no field 'quality'."),
        ({"files": [picture(1), picture(2)]}, "takes one picture; 2 were given"),
        ({"files": b"nonsense"}, "no picture that can be read"),
    ]
    for arguments, said in cases:
        with pytest.raises((BadRequest, ArgumentError)) as caught:
            draws("a cat", **arguments)
        assert said in str(caught.value)
    for body in ({}, {"prompt": " "}, {"prompt": 3}, {"prompt": "a", "image": "https://example.com/a.png"}, {"prompt": "a", "mask": "data:;base64,"}):
        answer = bare.post("images/generations", json=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "invalid_request_error"
    assert "no picture to change" in bare.post("images/edits", data={"prompt": "a"}, files={"none": b""}).json()["error"]["message"]


def test_a_picture_is_given_up_when_its_caller_has_gone_and_the_next_is_made(draws: Any, bare: httpx.Client) -> None:
    before = counted(bare, "images_total")
    with pytest.raises(httpx.ReadTimeout):
        bare.post("images/generations", json={"prompt": "a", "num_inference_steps": 500, "n": 10, "size": "256x256"}, timeout=0.5)
    assert draws("a cat")[0].size == (64, 64)
    assert counted(bare, "images_total") == before + 1
    with ThreadPoolExecutor(4) as pool:
        assert all(len(made) == 1 for made in pool.map(lambda i: draws("a cat", seed=i), range(4)))
    for _ in range(100):
        if not counted(bare, "requests_running"):
            break
        time.sleep(0.1)
    assert counted(bare, "requests_running") == 0


def test_a_folder_that_is_no_pipeline_and_arguments_that_mean_nothing_are_refused_before_a_start(home: Path, tmp_path: Path) -> None:
    engine = DiffusersServer()
    (tmp_path / "model").mkdir()
    with pytest.raises(ModelNotFound, match="model_index"):
        engine.check(DeploySpec(str(tmp_path / "model"), "sd").to_json())
    (tmp_path / "model" / "model_index.json").write_text("{}")
    spec = DeploySpec(str(tmp_path / "model"), "sd", "m", {"steps": 4, "vae-tiling": True, "dtype": "float16"})
    settled = engine.checked(spec.to_json()).arguments
    assert settled == {"num_inference_steps": 4, "enable_vae_tiling": True, "torch_dtype": "float16"}
    for wrong, said in (
        ({"step": 4}, "steps"),
        ({"steps": 0}, "num_inference_steps cannot be 0"),
        ({"steps": 2, "num_inference_steps": 3}, "same argument"),
    ):
        with pytest.raises(ArgumentError, match=said):
            engine.check(DeploySpec(str(tmp_path / "model"), "sd", "m", wrong).to_json())
    for more in ({"adapters": {"a": str(tmp_path)}}, {"chat_template": str(tmp_path)}):
        with pytest.raises(ArgumentError, match=f"deploy.diffusers takes no .*\n.*{next(iter(more))}"):
            engine.check(DeploySpec(str(tmp_path / "model"), "sd", **more).to_json())
    with pytest.raises(ArgumentError, match="does not serve models of type 'llm'"):
        engine.check(DeploySpec(str(tmp_path / "model"), "llm").to_json())
    [stage] = engine.plan(spec.to_json(), JobPlace("job", tmp_path))
    assert json.loads(stage.files["serve.json"])["arguments"] == settled


def test_a_scheduler_that_does_not_fit_ends_the_start_with_those_that_do(home: Path) -> None:
    with pytest.raises(JobFailed, match=r"scheduler cannot be 'Flow' for this model; it can be:.*EulerDiscreteScheduler"):
        wb.TrainableModule(str(tiny("sd"))).deploy_method(wb.deploy.diffusers, scheduler="Flow").start()
