"""LoRA adapters as faces of one server: which one is meant, whether it fits, and that a server which forgot is told again.

The server is scripted after vLLM's documents (`scripted_lora`); vLLM itself is asked in `tests/deploy`.
"""

from __future__ import annotations

import json
import os
import struct
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted_http import Asked, Reply, scripted
from scripted_lora import Models

import workbench as wb
from workbench.errors import ArgumentError, EndpointError, ModelNotFound, NotStarted
from workbench.modules.local import adapters

ENGINE = "scripted_lora:LoraServer"


def adapter(folder: Path, base: str = "pocket", rank: int = 8, hidden: int = 256, layers: int = 5, keys: int = 64) -> Path:
    """The two files that a LoRA fine-tuning leaves."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base, "peft_type": "LORA", "r": rank}))
    tensors = {
        f"base_model.model.model.layers.{i}.self_attn.q_proj.lora_A.weight": {"dtype": "F32", "shape": [rank, hidden], "data_offsets": [0, 0]}
        for i in range(layers)
    }
    tensors["base_model.model.model.layers.0.self_attn.v_proj.lora_B.weight"] = {"dtype": "F32", "shape": [keys, rank], "data_offsets": [0, 0]}
    header = json.dumps(tensors).encode()
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    return folder


@pytest.fixture(autouse=True)
def _supervisors_find_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1] / "support"))


@pytest.fixture
def base(home: Path) -> Iterator[wb.TrainableModule]:
    m = wb.TrainableModule("pocket").deploy_method(ENGINE).start()
    yield m
    m.stop()


# ---- which one is meant


def test_a_folder_or_that_of_a_run_is_found(home: Path, tmp_path: Path) -> None:
    own, run = adapter(tmp_path / "polite"), tmp_path / "run"
    assert adapters.found(own) == ("polite", str(own))
    adapter(run / "adapter")
    assert adapters.found(str(run)) == ("run", str(run / "adapter"))
    lazy = tmp_path / "mine" / "qwen" / "qwen-LazySplit-1"
    adapter(lazy / "lazyllm_lora")
    assert adapters.found(lazy).path == adapters.found(tmp_path / "mine").path == str(lazy / "lazyllm_lora")


def test_a_fine_tuned_module_and_its_target_are_found(home: Path) -> None:
    for name in ("mine", "mine-2"):
        made = home / "finetuned" / name
        adapter(made / "adapter")
        (made / "config.json").write_text("{}")
        (made / "model.safetensors").write_bytes(b"")
    newest = str(home / "finetuned" / "mine-2" / "adapter")
    assert adapters.found("mine") == ("mine-2", newest)
    assert adapters.found(wb.TrainableModule("pocket", "mine")) == ("mine", newest)


def test_what_is_no_adapter_is_told(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="holds no adapter_config"):
        adapters.found(tmp_path)
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / "config.json").write_text("{}")
    (whole / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelNotFound, match="whole model") as caught:
        adapters.found(whole)
    assert "TrainableModule" in caught.value.fix
    with pytest.raises(NotStarted, match="not been fine-tuned"):
        adapters.found(wb.TrainableModule("pocket", "other"))
    with pytest.raises(ModelNotFound, match="'polite' is the nearest"):
        adapters.found("polit", ["polite"])


def test_several_by_name_or_with_numbers(home: Path, tmp_path: Path) -> None:
    one, two = adapter(tmp_path / "a" / "x"), adapter(tmp_path / "b" / "x")
    assert adapters.several([one, two]) == {"x": str(one), "x-2": str(two)}
    assert adapters.several({"formal": one}) == {"formal": str(one)}
    assert adapters.several(one) == {"x": str(one)}


# ---- whether it fits


@pytest.mark.parametrize(
    ("other", "says"), [({"hidden": 512}, "read 512 numbers"), ({"layers": 28}, "28 layers"), ({"keys": 128}, "keys and values have 128")]
)
def test_an_adapter_of_another_model_is_refused(home: Path, tmp_path: Path, other: dict[str, int], says: str) -> None:
    strange = adapter(tmp_path / "strange", "org/other", **other)
    with pytest.raises(ArgumentError, match="does not fit") as caught:
        wb.TrainableModule("pocket").deploy_method(ENGINE, adapters=[strange]).start()
    assert says in caught.value.cause
    assert "org/other" in caught.value.cause


def test_another_name_of_the_base_is_only_warned_of(tmp_path: Path) -> None:
    model = tmp_path / "Qwen3_8B"
    model.mkdir()
    (model / "config.json").write_text(json.dumps({"_name_or_path": "/somewhere/original"}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for base in ("Qwen/Qwen3-8B", str(model), "org/original", ""):
            adapters.check_base(adapters.Adapter("a", str(adapter(tmp_path / "a", base))), str(model))
    with pytest.warns(UserWarning, match="was made for org/another"):
        adapters.check_base(adapters.Adapter("a", str(adapter(tmp_path / "a", "org/another"))), str(model))


# ---- faces of one server


def test_many_faces_of_one_server_answer_with_their_adapters(base: wb.TrainableModule, tmp_path: Path) -> None:
    polite, brief = base.share(adapter=adapter(tmp_path / "polite")), base.share(adapter=str(adapter(tmp_path / "brief")))
    assert [m("hi") for m in (base, polite, brief)] == ["said by pocket", "said by polite", "said by brief"]
    assert (polite.adapter, polite.name, base.adapter) == ("polite", "polite", "")
    assert base.adapters == {"polite": str(tmp_path / "polite"), "brief": str(tmp_path / "brief")}
    assert polite.endpoint.url == base.endpoint.url
    assert polite.share(prompt="Be nice.")("hi") == "said by polite"
    assert polite.share(adapter="")("hi") == "said by pocket"
    assert base.share(adapter="brief")("hi") == "said by brief"
    assert "".join(str(p) for p in polite.stream("hi")) == "said by polite"


def test_the_same_folder_is_loaded_once_and_the_same_name_twice_gets_a_number(base: wb.TrainableModule, tmp_path: Path) -> None:
    one, two = adapter(tmp_path / "a" / "x"), adapter(tmp_path / "b" / "x")
    assert [base.share(adapter=p).adapter for p in (one, two, one)] == ["x", "x-2", "x"]
    assert base.share(adapter=adapter(tmp_path / "pocket")).adapter == "pocket-2"


def test_an_adapter_can_be_forgotten(base: wb.TrainableModule, tmp_path: Path) -> None:
    polite = base.share(adapter=adapter(tmp_path / "polite"))
    base.unload_adapter("polite")
    assert base.adapters == {}
    with pytest.raises(EndpointError):
        polite("hi")
    with pytest.raises(ModelNotFound, match="No adapter 'polite'"):
        base.unload_adapter("polite")


def test_adapters_of_the_start_are_there_by_name(home: Path, tmp_path: Path) -> None:
    m = wb.TrainableModule("pocket").deploy_method(ENGINE, adapters={"formal": adapter(tmp_path / "polite")})
    face = m.share(adapter="formal")
    with pytest.raises(NotStarted):
        face("hi")
    m.start()
    assert face("hi") == "said by formal"
    assert m.adapters == {"formal": str(tmp_path / "polite")}
    m.stop()


def test_an_engine_that_was_started_anew_is_told_of_the_adapter_again(base: wb.TrainableModule, tmp_path: Path) -> None:
    polite = base.share(adapter=adapter(tmp_path / "polite"))
    base.restart()
    assert polite("hi") == "said by polite"
    before = base.deployment.restarts
    with pytest.raises(EndpointError):
        base("hi", seed=666)  # the engine dies of it
    deadline = time.monotonic() + 60
    while base.deployment.restarts <= before or base.state != "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert polite("hi") == "said by polite"
    with pytest.raises(EndpointError):
        base("hi", seed=666)
    assert polite("hi") == "said by polite"  # this one waited for the engine


def test_a_server_without_room_names_what_to_write(home: Path, tmp_path: Path) -> None:
    place = adapter(tmp_path / "polite", rank=128)
    without = wb.TrainableModule("pocket").deploy_method(ENGINE, lora=False).start()
    with pytest.raises(ArgumentError, match="No adapter can be loaded") as caught:
        without.share(adapter=place)
    assert "enable_lora=True" in caught.value.fix
    without.stop()
    small = wb.TrainableModule("pocket").deploy_method(ENGINE, rank=16).start()
    with pytest.raises(ArgumentError, match="rank 128") as caught:
        small.share(adapter=place)
    assert "max_lora_rank=128" in caught.value.fix
    assert small("still here") == "said by pocket"
    small.stop()


def test_other_engines_and_types_say_so(home: Path, tmp_path: Path) -> None:
    place = adapter(tmp_path / "polite")
    m = wb.TrainableModule("pocket")
    with pytest.raises(NotStarted, match="no server"):
        m.share(adapter=place)
    m.start()
    with pytest.raises(ArgumentError) as caught:
        m.share(adapter=place)
    assert "llama.cpp was started without room" in caught.value.cause
    m.stop()
    with pytest.raises(ArgumentError, match="takes no adapter"):
        wb.TrainableModule("x", type="embed").share(adapter=place)


def test_a_server_of_the_users_is_asked_the_same_way(home: Path, tmp_path: Path) -> None:
    models = Models("theirs", {"old": "/srv/old"})

    def answer(asked: Asked) -> Reply:
        status, value = models.answer(asked.method, asked.path, asked.json if asked.body else {})
        return Reply(body=value.encode(), status=status) if isinstance(value, str) else Reply(value, status=status)

    with scripted(answer) as server:
        m = wb.TrainableModule("theirs").deploy_method(wb.deploy.vllm, url=server.url)
        assert m.adapters == {"old": "/srv/old"}
        assert m.share(adapter="old").endpoint.model == "old"
        assert m.share(adapter=adapter(tmp_path / "polite")).endpoint.model == "polite"
        with pytest.raises(EndpointError, match="not loaded"):
            m.share(adapter="/srv/nothing/here")
        assert any(a.path == "/v1/load_lora_adapter" and a.json["lora_path"] == "/srv/nothing/here" for a in server.asked)


def test_copies_and_faces_keep_the_adapter(base: wb.TrainableModule, tmp_path: Path) -> None:
    polite = base.share(adapter=adapter(tmp_path / "polite"))
    served: Any = wb.ServerModule(polite).start()
    assert served("hi") == "said by polite"
    served.stop()
    assert os.path.exists(tmp_path / "polite")
