"""Which pipelines of diffusers can be put together from the parts of a loaded one, and what they are asked with. Knows no HTTP.

One set of weights makes pictures of a text, from a picture and in a hole: diffusers' ``AutoPipeline…`` classes put the same parts
together in another way, and where they do not know a family, its classes are found by their names. A pipeline that takes a picture by
itself (InstructPix2Pix, Kontext, Qwen-Image-Edit) is asked as it is. Runs in the environment ``diffusers``.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

WAYS = {"text": "makes pictures of a text", "image": "changes a picture", "mask": "fills a hole in a picture"}
SEVERAL = ("Plus", "Flux2", "Omni")  # words in the names of pipelines that take several pictures
PACKED = ("Flux", "QwenImage", "Chroma", "ZImage", "Ovis", "Longcat", "HiDream")  # whose latents are packed two by two
_NAMED = {"text": "", "image": "Img2Img", "mask": "Inpaint"}  # what stands in the name of a class before "Pipeline"
_UNFIT = (ValueError, TypeError, AttributeError, KeyError, ImportError)  # what diffusers says of parts that do not make a pipeline


def parameters(pipe: Any) -> Mapping[str, inspect.Parameter]:
    """What a pipeline is called with."""
    return inspect.signature(pipe.__call__).parameters


def several(pipe: Any) -> bool:
    """Whether it looks at more than one picture."""
    return any(word in type(pipe).__name__ for word in SEVERAL)


def source(pipe: Any) -> str:
    """The name under which it takes the picture that it changes or follows."""
    takes = parameters(pipe)
    return "control_image" if "control_image" in takes and "image" not in takes else "image"


def multiple(pipe: Any) -> int:
    """What the sides of a picture have to be divisible by."""
    scale = next((int(n) for name in ("", "_spatial") if (n := getattr(pipe, f"vae_scale_factor{name}", 0))), 0)
    scale = scale or int(getattr(pipe, "vae_spatial_compression_ratio", 0) or 8)
    patch = getattr(getattr(getattr(pipe, "transformer", None), "config", None), "patch_size", 1) or 1
    side = int(patch[-1] if isinstance(patch, list | tuple) else patch)
    return math.lcm(8, scale * (2 if any(word in type(pipe).__name__ for word in PACKED) else side))  # diffusers itself asks for 8


def own_side(pipe: Any) -> int:
    """The side of a picture that nobody gave a size for, in pixels; 0 where the pipeline does not tell."""
    height = parameters(pipe).get("height")
    if height is not None and isinstance(height.default, int):
        return height.default
    sample = getattr(pipe, "default_sample_size", 0) or getattr(getattr(getattr(pipe, "unet", None), "config", None), "sample_size", 0)
    return int(sample or 0) * int(getattr(pipe, "vae_scale_factor", 0) or 0) if not isinstance(sample, list | tuple) else 0


def assembled(base: Any) -> dict[str, Any]:
    """The pipelines for what these parts can do: ``text``, ``image``, ``mask``."""
    found = {way: _assemble(base, way) for way in WAYS}
    return {way: pipe for way, pipe in found.items() if pipe is not None}


def _assemble(base: Any, way: str) -> Any:
    import diffusers

    takes = parameters(base)
    image = takes.get(source(base))
    by_itself = image is not None and image.default in (inspect.Parameter.empty, None)
    needs = "control_image" in takes or "controlnet" in base.components
    optional = not needs and type(base) in diffusers.pipelines.auto_pipeline.AUTO_TEXT2IMAGE_PIPELINES_MAPPING.values()
    holes = "mask_image" in takes
    if {"text": image is None or optional, "image": by_itself and not holes, "mask": holes}[way]:
        return base
    if needs or not _plain(base):
        return None  # weights that look at a picture or a mask in every step
    auto = {
        "text": diffusers.AutoPipelineForText2Image,
        "image": diffusers.AutoPipelineForImage2Image,
        "mask": diffusers.AutoPipelineForInpainting,
    }
    stem = type(base).__name__.removesuffix("Pipeline").replace("Img2Img", "").replace("Inpaint", "")
    named: Any = getattr(diffusers, f"{stem}{_NAMED[way]}Pipeline", None)
    for kind in (auto[way], *([named] if named is not type(base) else [])):
        try:
            pipe = kind.from_pipe(base)
        except _UNFIT:
            continue
        pipe.set_progress_bar_config(disable=True)
        return pipe
    return None


def _plain(base: Any) -> bool:
    """Whether the weights take nothing beside the noise: those made for holes or for InstructPix2Pix have more channels."""
    noise = getattr(getattr(getattr(base, "vae", None), "config", None), "latent_channels", None)
    taken = getattr(getattr(getattr(base, "unet", None), "config", None), "in_channels", None)
    return noise is None or taken is None or noise == taken
