"""A pipeline of diffusers and what is made with it: pictures from a text, from pictures, and in a hole. Knows no HTTP.

Which pipelines the loaded parts make is `diffusers_ways`, how a picture is followed and ended `diffusers_steps`. Runs in the
environment ``diffusers``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .diffusers_steps import watched
    from .diffusers_ways import WAYS, assembled, multiple, own_side, parameters, several, source
    from .serving_fields import Refusal
    from .serving_work import Dropped, Gone
    from .torch_device import device_of
else:
    from diffusers_steps import watched
    from diffusers_ways import WAYS, assembled, multiple, own_side, parameters, several, source
    from serving_fields import Refusal
    from serving_work import Dropped, Gone
    from torch_device import device_of

SIDE = 2048  # pixels, where the deployment does not say
SEEDS = 2**32
MEMORY = ("enable_attention_slicing", "enable_model_cpu_offload", "enable_sequential_cpu_offload")
VAE = {"enable_vae_slicing": "enable_slicing", "enable_vae_tiling": "enable_tiling"}
OFFLOADS = ("enable_model_cpu_offload", "enable_sequential_cpu_offload")
_NOTHING = " "  # the negative prompt of who has none and wants it to count: what the model's own page gives


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
    """A loaded pipeline, and those made of the same parts.

    Attributes
    ----------
    family : str
        The class of the pipeline.
    multiple : int
        What the sides of a picture have to be divisible by.
    side : int
        The longest side of a picture, in pixels.
    """

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
        self._torch, self._active = torch, None
        self.family, self.multiple = type(self.base).__name__, multiple(self.base)
        self.side = int(arguments.get("max_size") or SIDE)
        self._made = assembled(self.base)
        if not self._made:
            raise ValueError(f"{self.family} makes no pictures of texts or pictures: nothing here can ask it for one")
        self._place(next(iter(self._made.values())))

    @property
    def ways(self) -> tuple[str, ...]:
        """What it can do: ``text``, ``image``, ``mask``."""
        return tuple(self._made)

    def nearest(self, side: int) -> int:
        """The nearest length that a side may have."""
        return min(max(round(side / self.multiple), 1), max(self.side // self.multiple, 1)) * self.multiple

    def way(self, wanted: Wanted) -> tuple[str, Any]:
        """How a picture is made, and by which pipeline.

        Raises
        ------
        Refusal
            When this model cannot.
        """
        name = "mask" if wanted.mask is not None else "image" if wanted.images else "text"
        if name not in self._made:
            does = ", ".join(WAYS[w] for w in self._made)
            lacks = " It needs a mask." if name == "image" and "mask" in self._made else ""
            raise Refusal(f"{self.family} {does}; nothing here lets it do what was asked ({WAYS[name]}).{lacks}", param="image")
        pipe = self._made[name]
        if len(wanted.images) > 1 and not several(pipe):
            raise Refusal(f"{type(pipe).__name__} takes one picture; {len(wanted.images)} were given.", param="image")
        taken = parameters(pipe)
        for option in wanted.given:
            if option not in taken:
                raise Refusal(f"{type(pipe).__name__} takes no {option!r}.", param=option)
        _steered(pipe, wanted)
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
        asked = self._asked(pipe, wanted)
        if self._active is not pipe:
            self._place(pipe)
        generator = self._torch.Generator("cpu").manual_seed(wanted.seed)  # the same picture on every device
        try:
            made = pipe(prompt=wanted.prompt, generator=generator, **asked, **watched(pipe, gone, told))
        except Dropped:
            raise
        except Exception as e:
            raise self._explained(e, pipe, asked) from e
        picture, size = first_picture(made), wanted.size or (wanted.images[0].size if wanted.mask is not None else None)
        if size is not None and picture.size != size:
            from PIL import ImageOps

            return ImageOps.fit(picture, size)  # some families have sizes of their own: HunyuanDiT, Qwen-Image-Edit in a hole
        return picture

    def _asked(self, pipe: Any, wanted: Wanted) -> dict[str, Any]:
        """What the pipeline is called with beside the prompt."""
        taken = parameters(pipe)
        asked = {**{k: v for k, v in wanted.defaults.items() if k in taken}, **_steered(pipe, wanted)}
        images = list(wanted.images)
        if images:
            asked[source(pipe)] = images if len(images) > 1 else images[0]
        if wanted.mask is not None:
            asked["mask_image"] = wanted.mask
        size = wanted.size or (images[0].size if images else None)
        if size is None and own_side(pipe) > self.side:
            size = (self.nearest(self.side),) * 2
        if size is not None and "width" in taken and "height" in taken:
            asked["width"], asked["height"] = size
        if "max_area" in taken:  # Kontext takes a size for a shape, and makes a megapixel of it
            area, own = wanted.size or (self.side, self.side), int(taken["max_area"].default)
            asked["max_area"] = area[0] * area[1] if wanted.size else min(area[0] * area[1], own)
            asked["_auto_resize"] = asked["max_area"] >= own  # otherwise the picture to change is brought to a megapixel first
        if "num_frames" in taken:
            asked["num_frames"] = 1  # a picture is a film of one frame
        return asked

    def _explained(self, error: Exception, pipe: Any, asked: Mapping[str, Any]) -> Exception:
        """A refusal where it was the caller's wish that could not be, else the error as it is."""
        taken, name = parameters(pipe), type(pipe).__name__
        given = {k: asked.get(k, taken[k].default) for k in ("strength", "num_inference_steps") if k in taken}
        if len(given) == 2 and int(given["strength"] * given["num_inference_steps"]) < 1:
            why = f"with a strength of {given['strength']:g}, {given['num_inference_steps']} steps come to none"
            return Refusal(f"{name} would leave the picture as it is: {why}. Ask for more steps, or more strength.", param="strength")
        return Refusal(f"{name} refused: {error}", code="invalid_value") if isinstance(error, ValueError) else error

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


def _steered(pipe: Any, wanted: Wanted) -> dict[str, Any]:
    """What was given, where it counts.

    FLUX and Qwen-Image look at a negative prompt only with a ``true_cfg_scale`` above 1, and at that only with a negative prompt; their
    ``guidance_scale`` is an input of weights that were made for it (FLUX.1 dev, not schnell).

    Raises
    ------
    Refusal
        For what the pipeline would pass over without a word.
    """
    taken, given, name = parameters(pipe), dict(wanted.given), type(pipe).__name__
    if "true_cfg_scale" not in taken:
        return given
    scale = given.get("true_cfg_scale", taken["true_cfg_scale"].default)
    if str(given.get("negative_prompt") or "").strip() and scale <= 1:
        raise Refusal(f"{name} looks at 'negative_prompt' only with a 'true_cfg_scale' above 1, which costs twice the time.", param="negative_prompt")
    if given.get("true_cfg_scale", 1) > 1 and not given.get("negative_prompt"):
        given["negative_prompt"] = _NOTHING
    weights = getattr(getattr(getattr(pipe, "transformer", None), "config", None), "guidance_embeds", True)
    if given.get("guidance_scale", 0) > 1 and not weights:
        raise Refusal(f"The weights of this {name} take no 'guidance_scale'; 'true_cfg_scale' is what they follow.", param="guidance_scale")
    return given


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
