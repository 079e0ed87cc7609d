"""LoRA adapters for llama.cpp: which can be loaded, and the stage that writes PEFT's folders as the GGUF files that it reads.

`workbench/runners/convert_lora.py` is what runs in the stage. Files are kept under the workbench's home, as converted models are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ..core.protocols import Stage
from ..core.specs import DeploySpec
from ..errors import ArgumentError, ModelNotFound
from . import gguf_cache, lora
from .common import runner, served_name
from .model_files import read_json

TITLE = "llama.cpp"


def takes(spec: DeploySpec) -> bool:
    """Whether the server is to take adapters by name."""
    return bool(spec.adapters) or bool(spec.arguments.get("enable_lora"))


def check(spec: DeploySpec) -> None:
    """Refuse adapters that are not there, that llama.cpp cannot take, and those whose base nobody can tell.

    Raises
    ------
    ArgumentError, ModelNotFound
    """
    if takes(spec) and spec.type not in ("llm", "vlm"):
        raise ArgumentError(f"deploy.llama_cpp takes no adapters with type={spec.type!r}.", "Adapters go with chat models.", "Leave them out.")
    for name, place in spec.adapters.items():
        if name == served_name(spec):
            raise ArgumentError(f"The adapter {name!r} has the name of the model itself.", "Callers choose by the name.", "Give it another name.")
        check_one(name, place, Path(spec.model))
    for path in spec.arguments.get("lora_adapters") or ():
        if not path.endswith(".gguf") or not Path(path).expanduser().is_file():
            cause = "It is a folder; this argument takes GGUF files." if Path(path).is_dir() else "There is no such GGUF file."
            raise ArgumentError(f"deploy.llama_cpp cannot load the adapter {path}.", cause, f"Write adapters={{'name': {path!r}}}: it is converted.")


def check_one(name: str, place: str, model: Path) -> None:
    """The same for one adapter."""
    if place.endswith(".gguf"):
        if not Path(place).is_file():
            raise ModelNotFound(
                f"The adapter {name!r} is not there.", f"There is no file {place}.", "Give a LoRA adapter as a .gguf file, or the folder of one."
            )
        return
    lora.check_one(name, place, TITLE)
    base_of(model, place)


def base_of(model: Path, adapter: str) -> Path:
    """The folder with the configuration of an adapter's model: the one that is served, or the one that it was trained on.

    Raises
    ------
    ArgumentError
        When there is none on this machine.
    """
    trained_on = str(read_json(Path(adapter) / "adapter_config.json").get("base_model_name_or_path") or "")
    places = [model if model.is_dir() else model.parent, *([Path(trained_on).expanduser()] if trained_on else [])]
    found = next((p for p in places if (p / "config.json").is_file() and any(p.glob("*.safetensors"))), None)
    if found is None:
        cause = "Its conversion to GGUF needs the safetensors folder of the model that it was trained on."
        raise ArgumentError(
            f"The adapter {Path(adapter).name} cannot be converted.", cause, "Serve that folder, or give the adapter as a .gguf file."
        )
    return found.absolute()


def files(adapters: Mapping[str, str], model: Path) -> dict[str, Path]:
    """Each adapter's GGUF file, which may have to be made."""
    return {n: Path(p) if p.endswith(".gguf") else gguf_cache.adapter_target(Path(p), base_of(model, p)) for n, p in adapters.items()}


def conversion(adapters: Mapping[str, str], model: Path) -> str:
    """What the runner is to do for adapters that are not converted yet, as JSON; empty where all are."""
    wanted = files(adapters, model)
    missing = {name: file for name, file in wanted.items() if not file.exists()}
    if not missing:
        return ""
    made = [{"name": n, "path": adapters[n], "target": str(f), "base": str(base_of(model, adapters[n]))} for n, f in missing.items()]
    return json.dumps({"adapters": made}, ensure_ascii=False, indent=1)


def stage(text: str) -> Stage:
    """The stage that runs a `conversion`."""
    argv = (runner("convert_lora"), "../adapters.json")
    return Stage("adapters", "Converting adapters to GGUF", "gguf", argv, files={"adapters.json": text}, stop_grace=5.0)
