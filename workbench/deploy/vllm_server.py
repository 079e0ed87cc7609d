"""vLLM's OpenAI server: on a GPU, and where there is none, through its build for CPUs.

Plans the process; `workbench/runners/serve_command.py` starts vLLM's own command line, and tells when it is ready. Which
defaults differ from vLLM's: the parsers of tool calls and thinking (`vllm_parsers`), how a model of a type is served
(`vllm_pooling`), what a CPU needs (`vllm_cpu`), and adapters (here). What the user gives always wins.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from ..core.jobs import Failure
from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from ..errors import ArgumentError
from . import default_parameters, lora, model_files, vllm_cpu, vllm_failures, vllm_length, vllm_parsers, vllm_pooling, vllm_refusals
from .command_line import command_stage, flags
from .common import explain_end, runner, served_name
from .engine import Engine
from .gguf_files import find_gguf
from .vllm_arguments import ALIASES, ARGUMENTS, RETIRED

_ENVIRONMENT = {
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_RPC_BASE_PATH": ".",  # its sockets lie in the job's folder and go with it; in a path of any length they might have no room
}
_ENDED = re.compile(r"\bended (?:while|before) it served")  # what our runner writes when it outlives the engine
_LATER_ADAPTERS = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1"}
_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # that vLLM can be told to make room for
_RANK, _KEPT = 64, 8  # room for adapters that are loaded later: their rank, and how many are kept in memory


class VLLM(Engine):
    """Serves chat, vision, embedding and ranking models and Whisper, on GPUs or on the CPU."""

    name, title, environment = "vllm", "vLLM", "vllm"
    types = ("llm", "vlm", "embed", "cross_modal_embed", "rerank", "stt")
    aliases, retired = ALIASES, RETIRED

    @classmethod
    def arguments(cls) -> list[str]:
        """The names it knows: vLLM's own, with underscores."""
        return sorted(ARGUMENTS)

    def checked(self, payload: Mapping[str, Any]) -> DeploySpec:
        """The spec with its arguments under vLLM's own names, if it can be served."""
        spec = super().checked(payload)
        if spec.device == "cpu":
            vllm_cpu.check(spec)
        vllm_length.check(spec)
        spec = replace(spec, defaults=default_parameters.checked(self.name, spec.defaults))
        lora.check(spec.adapters, served_name(spec), self.title)
        if spec.adapters and spec.arguments.get("enable_lora") is False:
            raise ArgumentError("Adapters were given, and enable_lora=False.", "", "Leave enable_lora out.")
        if spec.type in vllm_pooling.POOLING and spec.adapters:
            raise ArgumentError("Adapters go with chat models only.", f"This one is of the type {spec.type!r}.", "Leave adapters= out.")
        _weights(spec)
        return spec

    def settled(self, spec: DeploySpec) -> dict[str, Any]:
        """All arguments of the command line: the user's, and those that follow from the model, the machine and the adapters."""
        folder = _folder(spec)
        given = dict(spec.arguments)
        out: dict[str, Any] = vllm_pooling.arguments(spec.type, model_files.architecture(folder), f"{folder.name} {served_name(spec)}")
        if spec.type in ("llm", "vlm"):
            out |= _parsers(spec, folder)
        if spec.chat_template:
            out["chat_template"] = spec.chat_template
        if spec.adapters or given.get("enable_lora"):
            out |= _adapters(spec)
        for name, value in default_parameters.for_vllm(_everybodys(spec)).items():
            own = given.get(name)
            out[name] = value
            if isinstance(value, Mapping) and isinstance(own, Mapping):
                given[name] = {**value, **own}
        if spec.device == "cpu":
            out |= vllm_cpu.defaults(spec, psutil.virtual_memory().available)
            given |= vllm_cpu.quantization(spec)
        return {**{k: v for k, v in out.items() if k not in given}, **given}

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One process, which starts vLLM's."""
        spec = DeploySpec.from_json(payload)
        spec = replace(spec, arguments=self.settle(spec.arguments))
        settled = self.settled(spec)
        stage = command_stage(
            spec,
            ["{python}", runner("start_vllm"), *_line(spec, settled)],
            title=self.title,
            environment=self.environment,
            key_env="",
            env=_environment(spec, settled),
            progress="vllm",
            metrics="vllm",
            endpoint={"options": _options(spec, settled)},
        )
        return [stage]

    def command(self, payload: Mapping[str, Any]) -> list[str]:
        """vLLM's own line; the guard that asks for the key is not in it."""
        spec = self.checked(payload)
        return ["vllm", *_line(spec, self.settled(spec))]

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """What went wrong, and what to do."""
        killed = exit_code is not None and (exit_code < 0 or exit_code > 128)
        if killed and exit_code is not None:
            number = -exit_code if exit_code < 0 else exit_code - 128
            last = log_tail.strip().splitlines()[-1:]
            said = last if last and _ENDED.search(last[0]) else [f"vLLM was killed (signal {number})."]
            fix = "Probably the machine's memory ran out: stop other jobs, or give max_model_len=… a smaller value."
            return Failure(said[0], fix if exit_code in (-9, 137) else "start() tries again.", log_tail)
        found = vllm_failures.explain(log_tail)
        return Failure(*found, log_tail) if found else explain_end(self.title, exit_code, log_tail)

    @classmethod
    def refused(cls, words: str) -> str:
        """What to do about a request that vLLM refused."""
        return vllm_refusals.fix(words)


def _line(spec: DeploySpec, settled: Mapping[str, Any]) -> list[str]:
    where = ["--host", "127.0.0.1", "--port", "{port}", "--served-model-name", served_name(spec)]
    return ["serve", _weights(spec)[0], *where, *flags({**_weights(spec)[1], **settled})]


def _folder(spec: DeploySpec) -> Path:
    """Where configuration and chat template are."""
    path = Path(spec.model)
    return path if path.is_dir() else path.parent


def _weights(spec: DeploySpec) -> tuple[str, dict[str, Any]]:
    """What vLLM loads, and the arguments that go with it: a GGUF file needs the tokenizer of the model it was made of."""
    path = Path(spec.model)
    if path.is_dir() and (path / "config.json").exists():
        return spec.model, {}
    gguf = find_gguf(path)
    if gguf is None or "tokenizer" in spec.arguments:
        return str(gguf or path), {}
    if not any((gguf.parent / n).exists() for n in ("tokenizer.json", "tokenizer.model")):
        raise ArgumentError(
            f"vLLM needs the tokenizer of {gguf.name}.",
            "It reads only the weights of a GGUF file.",
            "Give tokenizer='folder of the model it was made of', or serve it with deploy_method(workbench.deploy.llama_cpp).",
        )
    return str(gguf), {"tokenizer": str(gguf.parent)}


def _parsers(spec: DeploySpec, folder: Path) -> dict[str, Any]:
    given, out = spec.arguments, dict[str, Any]()
    own = Path(spec.chat_template or str(spec.arguments.get("chat_template") or ""))
    template = own.read_text(encoding="utf-8", errors="replace") if own.is_file() else model_files.chat_template(folder)
    names = (served_name(spec), folder.name, model_files.architecture(folder))
    if given.get("enable_auto_tool_choice", True):
        parser = given.get("tool_call_parser") or vllm_parsers.tool_parser(template, names)
        if not parser and given.get("enable_auto_tool_choice"):
            fix = "Give tool_call_parser='hermes' or the one that fits the model (vLLM's documents list them)."
            raise ArgumentError("Nothing tells how this model writes its tool calls.", "Its chat template mentions none that is known.", fix)
        out |= {"enable_auto_tool_choice": True, "tool_call_parser": parser} if parser else {}
    if parser := vllm_parsers.reasoning_parser(template, names):
        out["reasoning_parser"] = parser
    return out


def _adapters(spec: DeploySpec) -> dict[str, Any]:
    """The arguments that make room for the adapters, and load those that are given."""
    modules = [f"{name}={place}" for name, place in spec.adapters.items()]
    highest = max((lora.rank(Path(p)) for p in spec.adapters.values()), default=0)
    most = max(highest, _RANK if spec.arguments.get("enable_lora") else 0)
    out: dict[str, Any] = {"enable_lora": True, "max_lora_rank": next((r for r in _RANKS if r >= most), _RANKS[-1])}
    out |= {"max_loras": max(1, len(modules)), "max_cpu_loras": max(_KEPT, len(modules))}
    return {**out, "lora_modules": modules} if modules else out


def _environment(spec: DeploySpec, settled: Mapping[str, Any]) -> dict[str, str]:
    more = vllm_cpu.environment(os.environ) if spec.device == "cpu" else {}
    return {**_ENVIRONMENT, **more, **(_LATER_ADAPTERS if settled.get("enable_lora") else {})}


def _options(spec: DeploySpec, settled: Mapping[str, Any]) -> dict[str, Any]:
    """What our clients know of the server."""
    out: dict[str, Any] = {"engine": "vllm", "tokens": "vllm"}
    if spec.type in ("llm", "vlm"):
        out |= {"constraints": "structured_outputs", "nest": {"enable_thinking": "chat_template_kwargs"}}
    if spec.type == "embed":
        out |= {"batch_size": 256, "encoding": "base64"}  # of a request: it batches by itself
    if settled.get("enable_lora"):
        out |= {"adapters": True, "max_lora_rank": settled.get("max_lora_rank")}
    if rest := {k: v for k, v in spec.defaults.items() if k not in _everybodys(spec)}:
        out["defaults"] = rest
    return out


def _everybodys(spec: DeploySpec) -> dict[str, Any]:
    """The default parameters that the server fills in for every client.

    What vLLM is told of a length it takes for the most that anybody may have, so that one goes with our own requests instead.
    """
    return {k: v for k, v in spec.defaults.items() if k != "max_tokens"}
