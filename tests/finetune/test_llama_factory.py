"""What LLaMA-Factory's backend accepts, plans and explains, without starting it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from workbench import data, finetune, pocket
from workbench.core.protocols import JobPlace
from workbench.core.specs import FinetuneSpec
from workbench.errors import ArgumentError, DataError, ModelNotFound
from workbench.finetune import llama_factory_failures
from workbench.finetune.llama_factory import LlamaFactory
from workbench.finetune.llama_factory_defaults import defaults

ROWS = [{"instruction": f"{i}", "output": "x"} for i in range(100)]


def spec(tmp_path: Path, **changes: Any) -> FinetuneSpec:
    ref = data.load_dataset(changes.pop("rows", ROWS), folder=tmp_path)
    base: dict[str, Any] = {"base_model": str(pocket.path()), "target_path": str(tmp_path / "target"), "train": ref}
    return FinetuneSpec(**{**base, **changes})


def planned(value: FinetuneSpec, tmp_path: Path) -> dict[str, Any]:
    stages = LlamaFactory().plan(value.to_json(), JobPlace("j1", tmp_path / "job"))
    return {name: json.loads(text) for stage in stages for name, text in stage.files.items()}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"lora_r": 16}, {"lora_rank": 16}),
        ({"lora_target_modules": ["q_proj", "v_proj"]}, {"lora_target": "q_proj,v_proj"}),
        ({"lr": "1e-3", "epochs": 2}, {"learning_rate": 1e-3, "num_train_epochs": 2.0}),
        ({"save_steps": 0.5, "max_steps": 7.0}, {"save_steps": 0.5, "max_steps": 7}),
        ({"bf16": "true", "template": None}, {"bf16": True, "template": None}),
    ],
)
def test_arguments_come_under_their_own_and_the_peers_names(given: dict[str, Any], meant: dict[str, Any]) -> None:
    assert LlamaFactory.check_arguments(given) == meant


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"learnign_rate": 1}, "Write learning_rate=…"),
        ({"nonsense_at_all_here": 1}, "does not know the argument"),
        ({"learning_rate": "fast"}, "takes a number"),
        ({"max_steps": True}, "takes a whole number"),
        ({"lr_scheduler_type": "cosin"}, "'cosine' is the nearest"),
        ({"finetuning_type": "oft"}, "Choose one of: 'lora', 'full', 'freeze'"),
        ({"stage": "dpo"}, "supervised fine-tuning"),
        ({"lora_r": 8, "lora_rank": 8}, "twice"),
        ({"output_dir": "/x"}, "target_path"),
        ({"hub_token": "abc"}, "HF_TOKEN"),
    ],
)
def test_an_argument_that_cannot_be_is_refused_with_what_to_type(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError) as e:
        LlamaFactory.check_arguments(given)
    assert words in str(e.value)
    assert "abc" not in str(e.value)


def test_hundreds_of_arguments_pass_through() -> None:
    names = LlamaFactory.arguments()
    assert len(names) > 300
    assert {"learning_rate", "lora_alpha", "use_dora", "neftune_noise_alpha", "packing", "lora_r"} <= set(names)


def test_what_cannot_work_is_refused_before_anything_starts(tmp_path: Path) -> None:
    good = spec(tmp_path)
    LlamaFactory().check(good.to_json())
    empty = tmp_path / "empty"
    empty.mkdir()
    gguf = str(pocket.path() / "pocket-q8_0.gguf")
    for model, words in ((str(empty), "no config.json"), (gguf, "GGUF"), (str(tmp_path / "gone"), "no config.json")):
        with pytest.raises(ModelNotFound, match=words):
            LlamaFactory().check(spec(tmp_path, base_model=model).to_json())
    moved = spec(tmp_path)
    Path(moved.train.path).unlink()
    with pytest.raises(DataError, match="is not there"):
        LlamaFactory().check(moved.to_json())


def test_a_target_that_holds_something_of_the_users_is_refused_and_ours_is_not(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    LlamaFactory().check(spec(tmp_path).to_json())
    (target / "thesis.tex").write_text("…")
    with pytest.raises(ArgumentError, match="did not make"):
        LlamaFactory().check(spec(tmp_path).to_json())
    (target / "workbench.json").write_text("{}")
    LlamaFactory().check(spec(tmp_path).to_json())
    with pytest.raises(ArgumentError, match="no folder that you may write to"):
        LlamaFactory().check(spec(tmp_path, target_path=str(target / "thesis.tex" / "model")).to_json())
    with pytest.raises(ArgumentError, match="the base model itself"):
        LlamaFactory().check(spec(tmp_path, target_path=str(pocket.path())).to_json())


def test_what_the_user_leaves_open_is_chosen_for_the_data(tmp_path: Path) -> None:
    chosen = defaults(spec(tmp_path), {})
    assert (chosen["val_size"], chosen["eval_strategy"], chosen["learning_rate"]) == (5, "steps", 1e-4)
    assert "val_size" not in defaults(spec(tmp_path, rows=ROWS[:10]), {})
    assert defaults(spec(tmp_path), {"finetuning_type": "full"})["learning_rate"] == 1e-5
    assert "lora_rank" not in defaults(spec(tmp_path), {"finetuning_type": "full"})
    assert "eval_strategy" not in defaults(spec(tmp_path), {"eval_strategy": "no"})
    valid = data.load_dataset(ROWS[:3], role="valid", folder=tmp_path)
    assert defaults(spec(tmp_path, valid=valid), {})["eval_dataset"] == "valid"


def test_the_plan_prepares_the_data_trains_and_writes_the_model(tmp_path: Path) -> None:
    value = spec(tmp_path, arguments={"lora_r": 4, "learning_rate": 2e-3}, resume_from="/elsewhere/output")
    files = planned(value, tmp_path)
    train = files["train.json"]
    assert train["arguments"]["lora_rank"] == 4
    assert train["arguments"]["learning_rate"] == 2e-3
    assert train["given"] == ["learning_rate", "lora_rank"]
    assert train["workbench"]["resume_from"] == "/elsewhere/output"
    assert files["merge.json"]["arguments"]["infer_dtype"] == "bfloat16"
    assert files["merge.json"]["arguments"]["adapter_name_or_path"].endswith("job/output")
    full = planned(spec(tmp_path, arguments={"finetuning_type": "full"}), tmp_path)["merge.json"]["arguments"]
    assert full["model_name_or_path"].endswith("job/output")
    assert "adapter_name_or_path" not in full


def test_threads_sleep_while_they_wait_and_the_users_number_of_them_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    env = LlamaFactory().plan(spec(tmp_path).to_json(), JobPlace("j", tmp_path / "job"))[1].env
    assert env["OMP_WAIT_POLICY"] == "PASSIVE"
    assert 1 <= int(env["OMP_NUM_THREADS"]) <= 16
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert "OMP_NUM_THREADS" not in LlamaFactory().plan(spec(tmp_path).to_json(), JobPlace("j", tmp_path / "job"))[1].env


def test_several_gpus_get_a_process_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    stages = LlamaFactory().plan(spec(tmp_path).to_json(), JobPlace("j", tmp_path / "job"))
    assert [s.name for s in stages] == ["data", "train", "merge"]
    assert stages[1].argv[:5] == ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    alone = LlamaFactory().plan(spec(tmp_path, arguments={"use_cpu": True}).to_json(), JobPlace("j", tmp_path / "job"))
    assert [s.name for s in alone] == ["data", "train"]


@pytest.mark.parametrize(
    ("code", "log", "cause", "fix"),
    [
        (1, "torch.OutOfMemoryError: CUDA out of memory. Tried", "GPU's memory is full", "per_device_train_batch_size"),
        (1, "RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory", "machine's memory", "cutoff_len"),
        (1, "OSError: [Errno 28] No space left on device", "disk is full", "resume"),
        (1, "RuntimeError: Found no NVIDIA driver on your system.", "CUDA", "use_cpu=True"),
        (1, "ValueError: Template quen does not exist.", "no template quen", "Leave template"),
        (1, "ValueError: Target modules {'x'} not found in the base model.", "lora_target", "all"),
        (1, "ModuleNotFoundError: No module named 'bitsandbytes'", "bitsandbytes", "doctor"),
        (1, "ValueError: bad rows\ntorch.distributed.elastic.multiprocessing.errors.ChildFailedError:", "ValueError: bad rows", "job.logs()"),
        (-9, "ImportError: harmless", "killed (SIGKILL)", "job.resume()"),
        (-11, "", "crashed (SIGSEGV)", "doctor"),
        (143, "", "SIGTERM", "job.resume()"),
        (1, "Traceback\nValueError: something new", "ValueError: something new", "job.logs()"),
        (3, "", "exit code 3", "job.logs()"),
    ],
)
def test_failures_are_explained_with_cause_and_fix(code: int, log: str, cause: str, fix: str) -> None:
    failure = llama_factory_failures.explain("train", code, log)
    assert cause in failure.cause
    assert fix in failure.fix


def test_backends_are_found_by_the_names_people_type() -> None:
    assert finetune.llamafactory is LlamaFactory
    assert finetune.Llamafactory is LlamaFactory
    assert finetune.LlamafactoryFinetune is LlamaFactory
    assert finetune.choose("llm") is LlamaFactory
    assert importlib.util.find_spec("workbench.finetune.llamafactory") is None
    for name, words in (
        ("collie", "finetune.llamafactory does what it did"),
        ("alpacalora", "retired"),
        ("lamafactory", "'llamafactory' is the nearest"),
    ):
        with pytest.raises(AttributeError, match=words):
            getattr(finetune, name)
    with pytest.raises(ArgumentError, match="not available in this version"):
        finetune.choose("rerank")


def test_trainers_from_elsewhere_say_what_there_is_instead() -> None:
    for name, instead in (("EasyLLM", "llamafactory"), ("FlagembeddingFinetune", "not available"), ("GRPO", "supervised"), ("trl", "llamafactory")):
        with pytest.raises(AttributeError, match=f"{name}.*{instead}"):
            getattr(finetune, name)
