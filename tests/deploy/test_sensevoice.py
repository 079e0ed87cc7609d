"""The real FunASR with a tiny untrained SenseVoice: recordings of any length, tags apart from words, refusals."""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest

import workbench as wb
from workbench.core.protocols import JobPlace
from workbench.core.specs import DeploySpec
from workbench.data.media import media
from workbench.deploy.sensevoice_server import SenseVoiceServer
from workbench.envs import ensure
from workbench.errors import ArgumentError, BadRequest, ModelNotFound

from ..support.guarded import assert_guarded

MAKER = Path(__file__).parent.parent / "support" / "make_sensevoice.py"


@pytest.fixture(scope="module")
def hears(module_home: Path) -> Any:
    """A started model."""
    folder = module_home.parent / "SenseVoiceTiny"
    made = subprocess.run([str(ensure("sensevoice")), str(MAKER), str(folder)], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return wb.TrainableModule(str(folder), type="stt").deploy_method(wb.deploy.sensevoice).start()


def tone(seconds: float, rate: int = 16000) -> tuple[np.ndarray[Any, Any], int]:
    return np.sin(np.arange(int(seconds * rate)) / 9) * 0.3, rate


def test_a_recording_is_written_down_part_by_part_with_what_is_heard_beside_words(hears: Any) -> None:
    assert hears.type == "STT"
    assert hears.endpoint.options["languages"][:3] == ["auto", "zh", "en"]
    said = hears(tone(3))
    assert "<|" not in said
    assert said == hears(tone(3))
    long = hears(tone(70), response_format="verbose_json", language="en")
    segments = long.details["segments"]
    assert (len(segments), segments[0]["start"], segments[-1]["end"]) == (3, 0.0, 70.0)
    assert all(a["end"] == b["start"] for a, b in pairwise(segments))
    assert set(segments[0]) == {"id", "start", "end", "text", "tags"}
    assert long.details["duration"] == 70.0
    assert hears(tone(3), response_format="srt").startswith("1\n00:00:00,000 --> 00:00:03,000\n")
    assert hears(tone(0.01)) == ""


def test_openais_client_is_understood_and_others_are_refused_with_words(hears: Any) -> None:
    client = openai.OpenAI(base_url=hears.endpoint.url, api_key=Path(hears.endpoint.key_file).read_text().strip(), max_retries=0)
    assert isinstance(client.audio.transcriptions.create(model="any", file=("a.wav", media(tone(1)).data)).text, str)
    for sound, arguments, said in (
        (tone(1), {"language": "fr"}, "'language' cannot be 'fr'; it is one of: auto, zh, en, yue, ja, ko"),
        (tone(1), {"prompt": "x"}, "There is no field 'prompt'."),
        (b"nonsense", {}, "The sound cannot be read"),
    ):
        with pytest.raises((BadRequest, ArgumentError)) as caught:
            hears(sound, **arguments)
        assert said in str(caught.value)
    assert_guarded(hears.endpoint, pid=hears.deployment.record.pid)


def test_a_folder_in_another_form_is_refused_before_a_start(home: Path, tmp_path: Path) -> None:
    engine = SenseVoiceServer()
    with pytest.raises(ModelNotFound, match=r"no model of FunASR.*\n.*\n.*wb\.deploy\.speech"):
        engine.check(DeploySpec(str(tmp_path), "stt").to_json())
    (tmp_path / "config.yaml").write_text("model: SenseVoiceSmall\n")
    spec = DeploySpec(str(tmp_path), "stt", arguments={"enable_itn": False, "language": "zh"})
    [stage] = engine.plan(spec.to_json(), JobPlace("job", tmp_path))
    assert json.loads(stage.files["serve.json"])["arguments"] == {"use_itn": False, "language": "zh"}
