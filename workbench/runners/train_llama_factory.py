"""Starts LLaMA-Factory's training and export with what only its own interpreter can know: the device, the number format, the
chat template. Does not choose anything that the user chose.

The arguments file is JSON: ``arguments`` are LLaMA-Factory's own, ``given`` the names among them that come from the user,
and ``workbench`` says what else is to be done.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .train_chat_template import OWN, choose, differs
    from .train_report import Report
else:
    from train_chat_template import OWN, choose, differs
    from train_report import Report

_SMALL = 2 * 2**30  # bytes of weights up to which a CPU has the memory to train without gradient checkpointing
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "chat_template.jinja",
    "chat_template.json",
)


def main(action: str, files: list[str], run: Any) -> None:
    """Run ``train`` or ``export`` as the arguments files say; with two files ``train`` exports as well.

    Training and exporting in one process spares the user the second start, which takes longer than both for a small model.
    """
    specs = []
    for file in files:
        with open(file, encoding="utf-8") as f:
            specs.append(json.load(f))
    if action == "train":
        train(specs.pop(0), run.report)
    if specs and not run.stopped:
        run.heed_control()
        export(specs.pop(0), run.report)


def train(spec: dict[str, Any], report: Report) -> None:
    """Train; the checkpoints and what was trained are in ``output_dir``."""
    checkpoint = newest_checkpoint(spec["workbench"]["resume_from"]) if spec["workbench"].get("resume_from") else ""
    if checkpoint and take_over(checkpoint, spec["arguments"], report):
        return
    report.event("progress", phase="train", text="Starting LLaMA-Factory")
    from llamafactory.train.tuner import run_exp

    report.event("progress", phase="train", text="Loading the model and the data")
    arguments = dict(spec["arguments"])
    arguments.update(for_this_machine(arguments, set(spec["given"])))
    arguments["template"] = template_of(arguments, report)
    if checkpoint:
        arguments["resume_from_checkpoint"] = checkpoint
        report.event("notice", level="info", text=f"Continuing at {os.path.basename(checkpoint)}.")
    run_exp(arguments)


def take_over(checkpoint: str, arguments: dict[str, Any], report: Report) -> bool:
    """Whether the checkpoint is that of the last step, which is then the result; trained on, it would take a step too many."""
    state = state_of(checkpoint)
    step, steps = state["global_step"], state.get("max_steps") or 0
    if not steps or step < steps:
        return False
    best = state.get("best_model_checkpoint") or ""
    source = best if arguments.get("load_best_model_at_end") and os.path.isdir(best) else checkpoint
    shutil.copytree(source, arguments["output_dir"], dirs_exist_ok=True, ignore=shutil.ignore_patterns("optimizer*", "scheduler*", "rng_state*"))
    shutil.copyfile(os.path.join(checkpoint, "trainer_state.json"), os.path.join(arguments["output_dir"], "trainer_state.json"))
    report.event("begin", step=step, max_steps=steps, device="")
    report.event("notice", level="info", text="The training was complete; what is left is to write the model.")
    return True


def for_this_machine(arguments: dict[str, Any], given: set[str]) -> dict[str, Any]:
    """Arguments that depend on the device, where the user left them open."""
    import torch

    chosen: dict[str, Any] = {}
    if torch.cuda.is_available() and not arguments.get("use_cpu"):
        if not given & {"bf16", "fp16", "pure_bf16", "fp8"}:
            chosen["bf16" if torch.cuda.is_bf16_supported() else "fp16"] = True
        return chosen
    weights = sum(os.path.getsize(p) for p in glob.glob(os.path.join(arguments["model_name_or_path"], "*.safetensors")))
    if "disable_gradient_checkpointing" not in given and weights < _SMALL:
        chosen["disable_gradient_checkpointing"] = True
    if "dataloader_pin_memory" not in given:
        chosen["dataloader_pin_memory"] = False
    return chosen


def template_of(arguments: dict[str, Any], report: Report | None) -> str:
    """The user's template, or the one that writes what the model's own does."""
    named = str(arguments.get("template") or "")
    if named:
        if report:
            tell_of_named(named, arguments, report)
        return named
    from transformers import AutoTokenizer

    model = arguments["model_name_or_path"]
    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=bool(arguments.get("trust_remote_code")))
    choice = choose(tokenizer, model, str(config_of(model).get("model_type", "")))
    if report:
        name = "read from the tokenizer" if choice.name == OWN else choice.name
        if not choice.has_own:
            report.event("notice", level="warning", text="The model has no chat template; it is trained with LLaMA-Factory's 'default'.")
        elif choice.differs:
            kinds = " and ".join(choice.differs)
            text = f"No template writes {kinds} exactly as the model's own does; the nearest is used ({name}). template=… names another."
            report.event("notice", level="warning", text=text)
        else:
            report.event("notice", level="info", text=f"The chat template is the model's own ({name}).")
    return choice.name


def tell_of_named(name: str, arguments: dict[str, Any], report: Report) -> None:
    """Say that the template that the user named is not the one that the trained model will be served with, where that is so."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(arguments["model_name_or_path"], trust_remote_code=bool(arguments.get("trust_remote_code")))
        kinds = " and ".join(differs(tokenizer, name))
    except Exception:  # a remark is no reason not to train
        return
    if kinds:
        text = f"The template {name!r} that you named writes {kinds} otherwise than the model's own chat template, which it is served with."
        fix = "Leave template=… out, or serve the trained model with deploy_method(…, chat_template=…)."
        report.event("notice", level="warning", text=f"{text} {fix}")


def config_of(model: str) -> dict[str, Any]:
    """The model's ``config.json``."""
    try:
        with open(os.path.join(model, "config.json"), encoding="utf-8") as f:
            value = json.load(f)
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def newest_checkpoint(folder: str) -> str:
    """The last checkpoint that was written to its end, in a folder of checkpoints; or the folder itself, when it is one.

    A trainer that ended well leaves its state beside the checkpoints as well, without an optimizer to go on with.
    """
    found = [(state_of(p)["global_step"], p) for p in glob.glob(os.path.join(folder, "checkpoint-*")) if state_of(p)]
    if found:
        return max(found)[1]
    if state_of(folder):
        return folder
    raise FileNotFoundError(f"There is no whole checkpoint in {folder}.")


def state_of(folder: str) -> dict[str, Any]:
    """A checkpoint's ``trainer_state.json``, which is written after the weights; empty when it is not there or not whole."""
    try:
        with open(os.path.join(folder, "trainer_state.json"), encoding="utf-8") as f:
            state = json.load(f)
        return state if "global_step" in state else {}
    except (OSError, ValueError, TypeError):
        return {}


def export(spec: dict[str, Any], report: Report) -> None:
    """Write the trained model as one that any engine can serve, and give it its name only when it is whole."""
    report.event("progress", phase="merge", text="Writing the model")
    from llamafactory.train.tuner import export_model

    arguments, extra = dict(spec["arguments"]), spec["workbench"]
    arguments["template"] = template_of(arguments | {"model_name_or_path": extra["base_model"]}, None)
    draft = arguments["export_dir"]
    shutil.rmtree(draft, ignore_errors=True)
    try:
        export_model(arguments)
        keep_tokenizer(extra["base_model"], draft)
        adapter = copy_adapter(extra["output"], os.path.join(draft, "adapter"))
        with open(os.path.join(draft, "workbench.json"), "w", encoding="utf-8") as f:
            json.dump({**extra["provenance"], "metrics": measured(extra["output"])}, f, indent=1)
        target = claim(draft, extra["target"])
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    made = {"model": target, "adapter": os.path.join(target, "adapter") if adapter else ""}
    with open(extra["made"], "w", encoding="utf-8") as f:
        json.dump(made, f)
    report.event("result", values=made)


def keep_tokenizer(base: str, target: str) -> None:
    """Give the result the base model's own tokenizer files where training changed nothing in it: other programs know those."""
    from transformers import AutoTokenizer

    try:
        old, new = AutoTokenizer.from_pretrained(base), AutoTokenizer.from_pretrained(target)
    except Exception:  # one that needs code of its own; what the export wrote stays
        return
    if old.get_vocab() != new.get_vocab() or old.chat_template != new.chat_template or old.eos_token != new.eos_token:
        return
    for name in _TOKENIZER_FILES:
        source, copy = os.path.join(base, name), os.path.join(target, name)
        if os.path.exists(source):
            shutil.copyfile(source, copy)
        elif os.path.exists(copy):
            os.remove(copy)


def copy_adapter(output: str, target: str) -> bool:
    """Keep a LoRA's own files beside the merged model; there are none after a full fine-tuning."""
    if not os.path.exists(os.path.join(output, "adapter_config.json")):
        return False
    os.makedirs(target, exist_ok=True)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        source = os.path.join(output, name)
        if os.path.exists(source):
            shutil.copyfile(source, os.path.join(target, name))
    return True


def measured(output: str) -> dict[str, Any]:
    """Steps and the last losses, from the trainer's own record."""
    state = state_of(output)
    history = state.get("log_history", [])
    losses = [row["loss"] for row in history if "loss" in row]
    evals = [row["eval_loss"] for row in history if "eval_loss" in row]
    found: dict[str, Any] = {"steps": state.get("global_step", 0), "epochs": state.get("epoch")}
    if losses:
        found |= {"loss": losses[-1], "train_loss": sum(losses) / len(losses)}
    if evals:
        found["eval_loss"] = evals[-1]
    return found


def claim(draft: str, target: str) -> str:
    """Rename to the target, or to the first free of target-2, target-3, …: what is there already is never replaced."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    number = 1
    while True:
        name = target if number == 1 else f"{target}-{number}"
        try:
            os.rename(draft, name)  # fails on a folder that holds anything
            return name
        except OSError:
            if not os.path.exists(name):
                raise
            number += 1
