"""A pipeline of diffusers and what is made with it: pictures from a text, from pictures, and in a hole. Knows no HTTP.

One set of weights serves all three: diffusers' ``AutoPipeline…`` classes put the same parts together in another way. A pipeline that
takes a picture by itself (InstructPix2Pix, Kontext, Qwen-Image-Edit) is asked as it is. Runs in the environment ``diffusers``.
"""

from __future__ import annotations

import inspect
import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .serving_fields import Refusal
    from .serving_work import Dropped, Gone
    from .torch_device import device_of
else:
    from serving_fields import Refusal
    from serving_work import Dropped, Gone
    from torch_device import device_of

SEVERAL = ("Plus", "Flux2", "Omni")  # words in the names of pipelines that take several pictures
PACKED = ("Flux", "QwenImage", "Chroma", "ZImage", "Ovis", "Longcat", "HiDream")  # whose latents are packed two by two
SEEDS = 2**32
MEMORY = ("enable_attention_slicing", "enable_model_cpu_offload", "enable_sequential_cpu_offload")
VAE = {"enable_vae_slicing": "enable_slicing", "enable_vae_tiling": "enable_tiling"}
OFFLOADS = ("enable_model_cpu_offload", "enable_sequential_cpu_offload")


@dataclass(frozen=True)
class Wanted:
    """One picture to make. ``images`` and ``mask`` are Pillow's; ``given`` names what the caller asked for beside the prompt."""

    prompt: str
    seed: int
    size: tuple[int, int] | None = None
    images: tuple[Any, ...] = ()
    mask: Any = None
    given: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)


class Pictures:
    """A loaded pipeline, and those made of the same parts."""

    def __init__(self, model: str, arguments: Mapping[str, Any]) -> None:
        import diffusers
        import torch

        self.device = device_of(str(arguments.get("device") or "auto"))
        self.dtype = dtype_of(str(arguments.get("torch_dtype") or "auto"), self.device)
        self.arguments = dict(arguments)
        named = {"variant": arguments["variant"]} if arguments.get("variant") else {}
        self.base = diffusers.DiffusionPipeline.from_pretrained(model, torch_dtype=self.dtype, local_files_only=True, **named)
        self.base.set_progress_bar_config(disable=True)
        if arguments.get("scheduler"):
            self.base.scheduler = scheduler_of(self.base, str(arguments["scheduler"]))
        self._made: dict[str, Any] = {}
        self._torch, self._active = torch, None
        self.family = type(self.base).__name__
        for way in ("text", "image", "mask"):
            pipe = self._assemble(way)
            if pipe is not None:
                self._made[way] = pipe
        self._place(next(iter(self._made.values())))

    @property
    def ways(self) -> tuple[str, ...]:
        """What it can do: ``text``, ``image``, ``mask``."""
        return tuple(self._made)

    @property
    def multiple(self) -> int:
        """What the sides of a picture have to be divisible by."""
        scale = int(getattr(self.base, "vae_scale_factor", 0) or getattr(self.base, "vae_scale_factor_spatial", 0) or 8)
        patch = getattr(getattr(getattr(self.base, "transformer", None), "config", None), "patch_size", 1) or 1
        side = int(patch[-1] if isinstance(patch, list | tuple) else patch)
        return math.lcm(8, scale * (2 if any(word in self.family for word in PACKED) else side))  # diffusers itself asks for 8

    def way(self, wanted: Wanted) -> tuple[str, Any]:
        """How a picture is made, and by which pipeline.

        Raises
        ------
        Refusal
            When this model cannot.
        """
        name = "mask" if wanted.mask is not None else "image" if wanted.images else "text"
        if name not in self._made:
            can = {"text": "makes pictures of a text", "image": "changes a picture", "mask": "fills a hole in a picture"}
            raise Refusal(
                f"{self.family} {', '.join(can[w] for w in self._made)}; nothing here lets it do what was asked ({can[name]}).", param="image"
            )
        pipe = self._made[name]
        if len(wanted.images) > 1 and not any(word in type(pipe).__name__ for word in SEVERAL):
            raise Refusal(f"{type(pipe).__name__} takes one picture; {len(wanted.images)} were given.", param="image")
        taken = inspect.signature(pipe.__call__).parameters
        for option in wanted.given:
            if option not in taken:
                raise Refusal(f"{type(pipe).__name__} takes no {option!r}.", param=option)
        return name, pipe

    def draw(self, wanted: Wanted, gone: Gone, told: Callable[[int, int], object]) -> Any:
        """One picture, Pillow's. ``told(step, steps)`` hears how far it is.

        Raises
        ------
        Refusal
            For what this pipeline does not take.
        Dropped
            As soon as a step is done after everybody who waits has gone.
        """
        _, pipe = self.way(wanted)
        taken = inspect.signature(pipe.__call__).parameters
        asked = {k: v for k, v in {**wanted.defaults, **wanted.given}.items() if k in taken}
        images = list(wanted.images)
        if images:
            asked["image"] = images if len(images) > 1 else images[0]
        if wanted.mask is not None:
            asked["mask_image"] = wanted.mask
        size = wanted.size or (images[0].size if images else None)
        if size is not None and "width" in taken and "height" in taken:
            asked["width"], asked["height"] = size
        if "num_frames" in taken:
            asked["num_frames"] = 1  # a picture is a film of one frame
        if "callback_on_step_end" in taken:
            asked["callback_on_step_end"] = watcher(gone, told)
        if self._active is not pipe:
            self._place(pipe)
        generator = self._torch.Generator("cpu").manual_seed(wanted.seed)  # the same picture on every device
        try:
            made = pipe(prompt=wanted.prompt, generator=generator, **asked)
        except (ValueError, TypeError) as e:
            raise Refusal(f"{type(pipe).__name__} refused: {e}", code="invalid_value") from e
        return first_picture(made)

    def _assemble(self, way: str) -> Any:
        """The pipeline for a way, None where these parts do not make one."""
        import diffusers

        takes = inspect.signature(self.base.__call__).parameters
        image = takes.get("image")
        by_itself = image is not None and image.default in (inspect.Parameter.empty, None)
        optional = type(self.base) in diffusers.pipelines.auto_pipeline.AUTO_TEXT2IMAGE_PIPELINES_MAPPING.values()
        if ("mask_image" in takes) if way == "mask" else (by_itself and "mask_image" not in takes) if way == "image" else (image is None or optional):
            return self.base
        auto = {
            "text": diffusers.AutoPipelineForText2Image,
            "image": diffusers.AutoPipelineForImage2Image,
            "mask": diffusers.AutoPipelineForInpainting,
        }[way]
        try:
            pipe = auto.from_pipe(self.base)
        except (ValueError, TypeError, AttributeError, KeyError):
            return None
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def _place(self, pipe: Any) -> None:
        """Put the parts where they work, as this pipeline uses them: offloading hangs on the pipeline, not on its parts."""
        given = self.arguments
        if any(given.get(name) for name in OFFLOADS):
            pipe.remove_all_hooks()
        else:
            pipe.to(self.device)
        for name in MEMORY:
            if given.get(name):
                getattr(pipe, name)(**({"device": self.device} if name in OFFLOADS else {}))
        for name, method in VAE.items():
            vae = getattr(pipe, "vae", None)
            if given.get(name) and hasattr(vae, method):
                getattr(vae, method)()
        self._active = pipe


def watcher(gone: Gone, told: Callable[[int, int], object]) -> Callable[..., Any]:
    """A callback that is asked after every step."""

    def step_ended(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if gone():
            raise Dropped
        told(step + 1, int(getattr(pipe, "num_timesteps", 0) or step + 1))
        return tensors

    return step_ended


def first_picture(made: Any) -> Any:
    """The picture in a pipeline's answer; the first frame where it makes films."""
    found = getattr(made, "images", None)
    if found is None:
        found = made.frames[0]
    picture = found[0]
    return picture if hasattr(picture, "save") else _pil(picture)


def _pil(array: Any) -> Any:
    from PIL import Image

    return Image.fromarray((array * 255).clip(0, 255).astype("uint8"))


def dtype_of(wanted: str, device: str) -> Any:
    """The numbers to calculate with: half precision on a GPU, bfloat16 where it has that; float32 elsewhere."""
    import torch

    if wanted != "auto":
        found = getattr(torch, wanted.removeprefix("torch."), None)
        if not isinstance(found, torch.dtype):
            raise ValueError(f"torch_dtype cannot be {wanted!r}; it is float32, bfloat16, float16 or auto")
        return found
    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.float16 if device == "mps" else torch.float32


def scheduler_of(pipe: Any, name: str) -> Any:
    """The scheduler of that class, with the settings of the model's own."""
    fitting = sorted({c.__name__ for c in pipe.scheduler.compatibles})
    chosen = next((c for c in pipe.scheduler.compatibles if c.__name__ in (name, f"{name}Scheduler")), None)
    if chosen is None:
        raise ValueError(f"scheduler cannot be {name!r} for this model; it can be: {', '.join(fitting)}")
    return chosen.from_config(pipe.scheduler.config)


def seeds(first: int | None, n: int) -> list[int]:
    """A seed for each picture: the first one's and those after it, or chosen by chance."""
    start = random.SystemRandom().randrange(SEEDS - n) if first is None else first
    return [(start + i) % 2**63 for i in range(n)]


class Pace:
    """Tells ``told(step, steps)`` on, at most once a second and not in the first."""

    def __init__(self, told: Callable[[int, int], object]) -> None:
        self._told, self._last, self.spoke = told, time.monotonic(), False

    def __call__(self, step: int, steps: int) -> None:
        now = time.monotonic()
        if now - self._last >= 1.0:
            self._last, self.spoke = now, True
            self._told(step, steps)
