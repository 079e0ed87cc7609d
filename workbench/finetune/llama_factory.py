"""Fine-tuning with LLaMA-Factory: `FinetuneSpec` → the processes to run, their argument files, the result. Runs nothing.

    data    the rows as uniform JSONL, whatever form the user's have
    train   LLaMA-Factory under our runner; checkpoints in the job's ``output``; then the trained model as one folder that any
            engine can serve, under its name only when it is whole
    merge   the same writing, apart, where several processes trained

A target that holds a model of ours already keeps it: the new one becomes ``target-2``, ``target-3``, …. One that holds
anything else is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.specs import DataRef, FinetuneSpec
from ..errors import ArgumentError
from . import llama_factory_arguments, llama_factory_failures
from .checks import MARK, check_data, check_model, check_target
from .cpu import thread_variables
from .llama_factory_defaults import defaults

_RUNNERS = Path(__file__).resolve().parent.parent / "runners"
_METHODS = ("lora", "full", "freeze")
_FOR_EXPORT = (
    "trust_remote_code",
    "add_tokens",
    "add_special_tokens",
    "new_special_tokens_config",
    "resize_vocab",
    "rope_scaling",
    "use_fast_tokenizer",
)


class LlamaFactory:
    """The backend ``finetune.llamafactory``: supervised fine-tuning, LoRA, full or freeze.

    Every argument of LLaMA-Factory passes through by its own name; ``lora_r``, ``lora_target_modules``, ``epochs`` and other
    names that people have are understood as well. What is left out is chosen for the machine and the data.
    """

    name = "llamafactory"
    environment = "llamafactory"

    @staticmethod
    def arguments() -> list[str]:
        """Every argument name that it takes."""
        return llama_factory_arguments.usable()

    @staticmethod
    def check_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments under LLaMA-Factory's names. Raises `ArgumentError` for what cannot be."""
        given = llama_factory_arguments.checked(arguments)
        if given.get("stage", "sft") != "sft":
            raise ArgumentError(
                f"stage={given['stage']!r} is not available.", "This version does supervised fine-tuning.", "Leave it out, or stage='sft'."
            )
        if given.get("finetuning_type", "lora") not in _METHODS:
            kind = given["finetuning_type"]
            raise ArgumentError(f"finetuning_type={kind!r} is not available.", "", f"Choose one of: {', '.join(map(repr, _METHODS))}.")
        return given

    def check(self, payload: Mapping[str, Any]) -> None:
        """Refuse what cannot work: arguments, the base model's folder, the data, the target."""
        spec = FinetuneSpec.from_json(payload)
        self.check_arguments(spec.arguments)
        check_model(spec.base_model)
        for ref in (spec.train, spec.valid):
            if ref is not None:
                check_data(ref)
        check_target(spec.target_path, spec.base_model)

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """The stages ``data`` and ``train``, and ``merge`` where several GPUs train."""
        spec = FinetuneSpec.from_json(payload)
        given = self.check_arguments(spec.arguments)
        env = {
            "HF_DATASETS_CACHE": str(place.work / "datasets"),
            "HF_HUB_OFFLINE": "0" if given.get("push_to_hub") else "1",  # the model is a folder; nobody else needs to know of it
            "TOKENIZERS_PARALLELISM": "false",
            "MPLBACKEND": "Agg",
            **thread_variables(os.environ),
        }
        runner = str(_RUNNERS / "train.py")
        train = {"arguments": self._train_arguments(spec, given, place), "given": sorted(given), "workbench": {"resume_from": spec.resume_from}}
        merge = {"arguments": self._export_arguments(spec, given, place), "given": [], "workbench": self._merge(spec, given, place)}
        data = {"train": _source(spec.train), "valid": _source(spec.valid), "folder": str(place.folder / "data")}
        launch = _processes(given)
        stages = [
            Stage(
                "data",
                "Preparing the data",
                "current",
                ("-m", "workbench.data.uniform", str(place.folder / "data.json")),
                {"PYTHONPATH": str(_RUNNERS.parent.parent)},
                {"data.json": _json(data)},
            ),
            Stage(
                "train",
                "Training",
                self.environment,
                (*launch, runner, "llamafactory", "train", str(place.folder / "train.json"), *([] if launch else [str(place.folder / "merge.json")])),
                env,
                {"train.json": _json(train), "merge.json": _json(merge), "data/dataset_info.json": _json(_dataset_info(spec))},
                stop_grace=120.0,
            ),
        ]
        if launch:  # several processes trained: only one may write
            argv = (runner, "llamafactory", "export", str(place.folder / "merge.json"))
            stages.append(Stage("merge", "Writing the model", self.environment, argv, {**env, "CUDA_VISIBLE_DEVICES": ""}, stop_grace=10.0))
        return stages

    def _train_arguments(self, spec: FinetuneSpec, given: Mapping[str, Any], place: JobPlace) -> dict[str, Any]:
        ours = {
            "model_name_or_path": spec.base_model,
            "stage": "sft",
            "do_train": True,
            "dataset": "train",
            "dataset_dir": str(place.folder / "data"),
            "output_dir": str(place.folder / "output"),
            "overwrite_cache": True,
        }
        return {**defaults(spec, given), **given, **ours}

    def _export_arguments(self, spec: FinetuneSpec, given: Mapping[str, Any], place: JobPlace) -> dict[str, Any]:
        target, output = Path(spec.target_path), str(place.folder / "output")
        arguments: dict[str, Any] = {
            "model_name_or_path": output,
            "finetuning_type": "full",
            "template": given.get("template"),
            "export_dir": str(target.with_name(f".{target.name}.{place.job_id}.unfinished")),
            "export_size": given.get("export_size", 5),
            "export_device": "cpu",
            "infer_dtype": given.get("infer_dtype", number_format(spec.base_model)),
            **{k: given[k] for k in _FOR_EXPORT if k in given},
        }
        if given.get("finetuning_type", "lora") == "lora":
            before = [given["adapter_name_or_path"]] if given.get("adapter_name_or_path") and given.get("create_new_adapter") else []
            arguments |= {"model_name_or_path": spec.base_model, "finetuning_type": "lora", "adapter_name_or_path": ",".join([*before, output])}
        return arguments

    def _merge(self, spec: FinetuneSpec, given: Mapping[str, Any], place: JobPlace) -> dict[str, Any]:
        provenance = {
            "made_by": "jupyter-llm-workbench",
            "backend": self.name,
            "base_model": spec.base_model,
            "train": spec.to_json()["train"],
            "valid": spec.to_json()["valid"],
            "arguments": {**defaults(spec, given), **given},
            "job_id": place.job_id,
        }
        return {
            "base_model": spec.base_model,
            "target": spec.target_path,
            "output": str(place.folder / "output"),
            "made": str(place.folder / "made.json"),
            "provenance": provenance,
        }

    def result(self, payload: Mapping[str, Any], place: JobPlace) -> Mapping[str, Any]:
        """``model`` and ``adapter`` (folders), ``steps``, ``epochs``, ``loss``, ``train_loss``, ``eval_loss`` and ``base_model``."""
        made: dict[str, Any] = json.loads((place.folder / "made.json").read_text(encoding="utf-8"))
        mark = json.loads((Path(made["model"]) / MARK).read_text(encoding="utf-8"))
        return {**made, **mark["metrics"], "base_model": mark["base_model"]}

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """Cause and fix, from the last lines."""
        return llama_factory_failures.explain(stage, exit_code, log_tail)


def _processes(given: Mapping[str, Any]) -> tuple[str, ...]:
    """One process for each GPU where there are several; LLaMA-Factory refuses to use them from one."""
    gpus = 0 if given.get("use_cpu") else visible_gpus()
    return ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(gpus)) if gpus > 1 else ()


def visible_gpus() -> int:
    """How many NVIDIA GPUs a trainer would see."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return len([d for d in chosen.split(",") if d.strip() and d.strip() != "-1"])
    try:
        import pynvml

        pynvml.nvmlInit()
        try:
            return int(pynvml.nvmlDeviceGetCount())
        finally:
            pynvml.nvmlShutdown()
    except Exception:  # no library or no driver: no GPU
        return 0


def number_format(model: str) -> str:
    """The format of the base model's weights as ``infer_dtype`` names it."""
    try:
        config = json.loads((Path(model) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "auto"
    name = str(config.get("dtype") or config.get("torch_dtype") or "auto")
    return name if name in ("float32", "float16", "bfloat16") else "auto"


def _dataset_info(spec: FinetuneSpec) -> dict[str, Any]:
    tags = {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
        "observation_tag": "observation",
        "function_tag": "function_call",
        "system_tag": "system",
    }
    columns = {"messages": "messages", "system": "system", "tools": "tools"}
    names = ["train", *(["valid"] if spec.valid else [])]
    return {n: {"file_name": f"{n}.jsonl", "formatting": "sharegpt", "columns": columns, "tags": tags} for n in names}


def _source(ref: DataRef | None) -> dict[str, str] | None:
    return {"path": ref.path, "format": ref.format} if ref else None


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)
