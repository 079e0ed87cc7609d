"""Pictures from a text, and pictures changed by one, with diffusers: Stable Diffusion, SDXL, SD3, FLUX, CogView, Wan and their kin.

Plans the process; `workbench/runners/serve_diffusers.py` is what runs in it. Which pipeline a model is, its own
``model_index.json`` says, and diffusers reads that: nothing here knows a family.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from ..core.protocols import JobPlace, Stage
from ..core.specs import DeploySpec
from ..errors import ArgumentError, ModelNotFound
from . import request_defaults
from .common import runner, spec_file
from .engine import Engine

INDEX = "model_index.json"
ARGUMENTS = {
    "device": "cpu, cuda, cuda:1, mps or auto",
    "torch_dtype": "float32, bfloat16, float16 or auto",
    "variant": "which files of the weights, such as fp16",
    "scheduler": "another one's class, such as DPMSolverMultistepScheduler",
    "num_inference_steps": "steps of a picture that does not say; the pipeline's own when not given",
    "guidance_scale": "guidance of a picture that does not say; the pipeline's own when not given",
    "max_size": "the longest side of a picture in pixels",
    "enable_model_cpu_offload": "keep on the GPU only the part that works: less memory, slower",
    "enable_sequential_cpu_offload": "keep on the GPU only the layer that works: least memory, much slower",
    "enable_attention_slicing": "attention in slices: less memory, a little slower",
    "enable_vae_slicing": "decode one picture after the other",
    "enable_vae_tiling": "decode a picture in tiles, for large ones",
}


class DiffusersServer(Engine):
    """Serves a folder with a ``model_index.json`` at ``/v1/images/generations`` and ``/v1/images/edits``."""

    name = "diffusers"
    title = "diffusers"
    environment = "diffusers"
    types = ("sd", "text2image", "image_editing")
    one_server = types
    takes = frozenset()
    aliases: ClassVar[Mapping[str, str]] = {
        "dtype": "torch_dtype",
        "steps": "num_inference_steps",
        "num_steps": "num_inference_steps",
        "guidance": "guidance_scale",
        "cpu_offload": "enable_model_cpu_offload",
        "model_cpu_offload": "enable_model_cpu_offload",
        "sequential_cpu_offload": "enable_sequential_cpu_offload",
        "attention_slicing": "enable_attention_slicing",
        "vae_slicing": "enable_vae_slicing",
        "vae_tiling": "enable_vae_tiling",
        "enable_tiling": "enable_vae_tiling",
    }

    @classmethod
    def arguments(cls) -> list[str]:
        """The names it knows: those of diffusers' pipelines."""
        return sorted(ARGUMENTS)

    def checked(self, payload: Mapping[str, Any]) -> DeploySpec:
        """Refuse, beside what every engine refuses, a folder that is no pipeline, numbers and defaults that cannot be meant."""
        spec = super().checked(payload)
        spec = replace(spec, defaults=request_defaults.checked(self.name, spec.defaults))
        if not (Path(spec.model) / INDEX).is_file():
            raise ModelNotFound(f"{spec.model} is no model of diffusers.", f"It has no {INDEX}.", "Give the folder of a whole pipeline.")
        for name, low, high in (("num_inference_steps", 1, 500), ("max_size", 8, 65536)):
            value = spec.arguments.get(name)
            if value is not None and (not isinstance(value, int) or not low <= value <= high):
                raise ArgumentError(f"{name} cannot be {value!r}.", "", f"Give a whole number from {low} to {high}.")
        return spec

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """One process."""
        spec = self.checked(payload)
        files = {"serve.json": spec_file(spec, arguments=dict(spec.arguments), defaults=dict(spec.defaults), type=spec.type)}
        env = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        argv = (runner("serve_diffusers"), "../serve.json")
        return [Stage("serve", "Loading the pipeline", self.environment, argv, env, files, serves=True, stop_grace=5.0)]
