"""Defaults of servers for pictures and sound are refused before anything starts; their table is what the servers take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.core.specs import DeploySpec
from workbench.deploy import request_defaults
from workbench.errors import ArgumentError
from workbench.runners import listening, serve_diffusers, serve_sensevoice, speaking, transcripts
from workbench.runtime.deployments.endpoints import deployment_spec


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Folders that look like models to who does not load them."""
    for name, file in (("pictures", "model_index.json"), ("voice", "config.json"), ("sense", "config.yaml")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text("{}")
    return tmp_path


def test_the_table_has_the_fields_that_the_servers_take() -> None:
    changing_nothing = {"model", "user", "stream_format", "timestamp_granularities"}
    taken = {("diffusers", ""): serve_diffusers.KNOWN, ("speech", "tts"): speaking.KNOWN, ("speech", "stt"): listening.KNOWN}
    for key, known in {**taken, ("sensevoice", ""): serve_sensevoice.KNOWN}.items():
        assert set(known) - changing_nothing == set(request_defaults.FIELDS[key])
    pictures = request_defaults.FIELDS["diffusers", ""]
    assert {name: pictures[name] for name in serve_diffusers.NUMBERS} == serve_diffusers.NUMBERS
    assert request_defaults.SAME.items() <= serve_diffusers.OTHER_NAMES.items()
    assert request_defaults.FIELDS["speech", "stt"]["response_format"] == transcripts.FORMS
    assert set(request_defaults.FIELDS["speech", "tts"]["response_format"]) == set(speaking.MIMES)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("engine", "defaults", "said"),
    [
        ("diffusers", {"guidence_scale": 3}, "'guidence_scale'.*\n.*'guidance_scale' is the nearest"),
        ("diffusers", {"steps": 0}, "default steps cannot be 0.*\n.*a whole number from 1 to 500"),
        ("diffusers", {"steps": 4, "num_inference_steps": 4}, "has num_inference_steps twice"),
        ("diffusers", {"output_format": "gif"}, "one of: png, jpeg, webp"),
        ("diffusers", {"seed": -1}, "a whole number from 0"),
        ("diffusers", {"strength": True}, "a number from 0 to 1"),
        ("speech", {"sped": 2.0}, "'speed' is the nearest"),
        ("speech", {"speed": 9}, "a number from 0.25 to 4"),
        ("speech", {"voice": 3}, "Give a text"),
        ("sensevoice", {"languge": "zh"}, "'language' is the nearest"),
    ],
)
def test_wrong_defaults_are_refused_where_they_are_written(home: Path, engine: str, defaults: dict[str, Any], said: str) -> None:
    with pytest.raises(ArgumentError, match=f"(?s){said}"):
        wb.TrainableModule("any").deploy_method(getattr(wb.deploy, engine), defaults=defaults)


def test_what_only_the_type_tells_is_refused_before_a_start(home: Path, folders: Path) -> None:
    for type_, defaults in (("stt", {"speed": 2.0}), ("tts", {"temperature": 0.5})):
        wb.TrainableModule("any").deploy_method(wb.deploy.speech, defaults=defaults)
        with pytest.raises(ArgumentError, match="defaults"):
            deployment_spec(DeploySpec(str(folders / "voice"), type_, defaults=defaults), "speech")
    for form, types in (("flac", ("tts",)), ("srt", ("stt",)), ("gif", ())):
        for type_ in ("tts", "stt"):
            spec = DeploySpec(str(folders / "voice"), type_, defaults={"response_format": form})
            if type_ in types:
                assert deployment_spec(spec, "speech").payload["defaults"] == {"response_format": form}
                wb.TrainableModule("any").deploy_method(wb.deploy.speech, defaults={"response_format": form})
            else:
                with pytest.raises(ArgumentError, match=f"cannot be '{form}'"):
                    deployment_spec(spec, "speech")
    with pytest.raises(ArgumentError, match="temprature"):
        deployment_spec(DeploySpec(str(folders / "voice"), "stt", defaults={"temprature": 0.5}), "transformers")


def test_one_server_of_pictures_serves_both_types(home: Path, folders: Path) -> None:
    model = str(folders / "pictures")
    drawn = deployment_spec(DeploySpec(model, "sd", defaults={"steps": 4}), "diffusers")
    edited = deployment_spec(DeploySpec(model, "image_editing", defaults={"num_inference_steps": 4}), "diffusers")
    assert drawn.share_key == edited.share_key
    assert (drawn.payload["type"], edited.payload["type"]) == ("sd", "image_editing")
    assert drawn.payload["defaults"] == {"num_inference_steps": 4}
    others = (DeploySpec(model, "sd"), DeploySpec(model, "sd", arguments={"max_size": 64}, defaults={"steps": 4}))
    assert drawn.share_key not in {deployment_spec(other, "diffusers").share_key for other in others}
    voice = str(folders / "voice")
    assert deployment_spec(DeploySpec(voice, "tts"), "speech").share_key != deployment_spec(DeploySpec(voice, "stt"), "speech").share_key
