"""Serves a pipeline of diffusers in OpenAI's form: ``serve_diffusers.py SPEC.json``.

===============================  ==============================================================================================
``POST /v1/images/generations``  JSON: ``prompt n size seed num_inference_steps guidance_scale negative_prompt``; ``image`` as ``data:``
``POST /v1/images/edits``        a form: the same fields, ``image`` files, ``mask``, ``strength``
===============================  ==============================================================================================

A mask is transparent where the picture may change, as OpenAI's is; one without transparency is white there, as diffusers' is.
Runs in the environment ``diffusers``. Format: https://platform.openai.com/docs/api-reference/images
"""

from __future__ import annotations

import base64
import io
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from . import serving
    from .diffusers_pictures import Pictures, Wanted, seeds
    from .diffusers_steps import Pace
    from .serving_app import App, Call, main
    from .serving_fields import Fields, Refusal
    from .serving_work import Gone, Worker
else:
    import serving
    from diffusers_pictures import Pictures, Wanted, seeds
    from diffusers_steps import Pace
    from serving_app import App, Call, main
    from serving_fields import Fields, Refusal
    from serving_work import Gone, Worker

NUMBERS = {  # parameters of pipelines: lowest, highest
    "guidance_scale": (0.0, 100.0),
    "image_guidance_scale": (0.0, 100.0),
    "true_cfg_scale": (0.0, 100.0),
    "strength": (0.0, 1.0),
    "eta": (0.0, 1.0),
}
OTHER_NAMES = {"steps": "num_inference_steps", "guidance": "guidance_scale", "images": "image"}
FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
MOST, MOST_STEPS, PROMPT = 10, 500, 32000
IGNORED = ("user", "model")  # fields of OpenAI's that change nothing
KNOWN = ("n", "seed", "size", "negative_prompt", "num_inference_steps", "response_format", "output_format", "output_compression", *NUMBERS, *IGNORED)


def load(spec: dict[str, Any]) -> App:
    """Load the pipeline and put its paths together."""
    serving.report("progress", phase="load", text="Importing torch and diffusers")
    import diffusers  # noqa: F401

    serving.report("progress", phase="load", text=f"Loading {spec['served_name']}")
    pictures = Pictures(spec["model"], spec.get("arguments") or {})
    return Server(pictures, spec).app


class Server:
    """The paths, and the work behind them."""

    def __init__(self, pictures: Pictures, spec: dict[str, Any]) -> None:
        arguments = spec.get("arguments") or {}
        self.pictures, self.name = pictures, spec["served_name"]
        self.defaults = {k: arguments[k] for k in ("num_inference_steps", "guidance_scale") if arguments.get(k) is not None}
        self.fields = {OTHER_NAMES.get(k, k): v for k, v in (spec.get("defaults") or {}).items()}
        Fields(self.fields).only(*KNOWN)
        self.worker = Worker(self._draw)
        paths = {"/v1/images/generations": self.generations, "/v1/images/edits": self.edits}
        options = {"engine": "diffusers", "images": "image", "family": pictures.family, "can": list(pictures.ways)}
        self.app = App(self.name, self.worker, paths, options=options)

    async def generations(self, call: Call) -> dict[str, Any]:
        """Pictures of a text; with ``image``, of both."""
        return await self._answer(call, await call.fields())

    async def edits(self, call: Call) -> dict[str, Any]:
        """Pictures that are changed by a text."""
        fields = await call.fields()
        if not fields.uploads("image") and not fields.values.get("image") and not fields.values.get("images"):
            raise Refusal("'image' is missing: there is no picture to change.", param="image")
        return await self._answer(call, fields)

    async def _answer(self, call: Call, fields: Fields) -> dict[str, Any]:
        fields = Fields({OTHER_NAMES.get(k, k): v for k, v in {**self.fields, **fields.values}.items()}, fields.files)
        fields.only(*KNOWN, "prompt", "image", "mask")
        form = fields.choice("output_format", tuple(FORMATS), "png")
        fields.choice("response_format", ("b64_json",), "b64_json")
        n, seed = fields.integer("n", 1, 1, MOST) or 1, fields.integer("seed", None, 0, 2**63 - 1)
        wanted = self._wanted(fields)
        self.pictures.way(wanted)
        each = [Wanted(wanted.prompt, s, wanted.size, wanted.images, wanted.mask, wanted.given, self.defaults) for s in seeds(seed, n)]
        made = await call.all("draw", each)
        quality = fields.integer("output_compression", 95, 0, 100)
        data = [{"b64_json": _packed(picture, form, quality), "seed": one.seed} for picture, one in zip(made, each, strict=True)]
        size = "x".join(str(s) for s in made[0].size)
        return {"created": int(time.time()), "model": self.name, "output_format": form, "size": size, "data": data}

    def _wanted(self, fields: Fields) -> Wanted:
        given: dict[str, Any] = {}
        for name, (low, high) in NUMBERS.items():
            if (number := fields.number(name, None, low, high)) is not None:
                given[name] = float(number)
        if (steps := fields.integer("num_inference_steps", None, 1, MOST_STEPS)) is not None:
            given["num_inference_steps"] = steps
        if "negative_prompt" in fields.values:
            given["negative_prompt"] = fields.text("negative_prompt", "", PROMPT)
        size = self._size(fields.text("size", "auto"))
        images = tuple(_picture(data, "image") for data in _files(fields, "image"))
        masks = _files(fields, "mask")
        if len(masks) > 1 or (masks and not images):
            raise Refusal("A mask goes with one picture to change." if masks and not images else "There can be one mask.", param="mask")
        images = tuple(self._fitting(i, size) for i in images)
        mask = _mask(_picture(masks[0], "mask"), images[0].size) if masks else None
        return Wanted(fields.text("prompt", most=PROMPT), 0, size, tuple(i.convert("RGB") for i in images), mask, given)

    def _size(self, text: str) -> tuple[int, int] | None:
        """Width and height in pixels, None for the pipeline's own."""
        if text in ("auto", ""):
            return None
        try:
            width, height = (int(part) for part in text.lower().replace("*", "x").split("x"))
        except ValueError:
            raise Refusal(f"'size' has to be like '512x512', not {text!r}.", param="size") from None
        pictures = self.pictures
        good = tuple(pictures.nearest(side) for side in (width, height))
        if (width, height) != good:
            why = f"sides are from {pictures.multiple} to {pictures.side} and divisible by {pictures.multiple}"
            raise Refusal(f"'size' cannot be {width}x{height}: {why}. The nearest is {good[0]}x{good[1]}.", code="invalid_size", param="size")
        return width, height

    def _fitting(self, image: Any, size: tuple[int, int] | None) -> Any:
        """A picture that the pipeline takes: of the wanted size, or of the nearest good one to its own, not larger than allowed."""
        if size is None:
            shrink = min(1.0, self.pictures.side / max(image.size))
            size = self.pictures.nearest(int(image.width * shrink)), self.pictures.nearest(int(image.height * shrink))
        return image if image.size == size else image.resize(size)

    def _draw(self, kind: Any, units: Any, gone: Gone) -> list[Any]:
        """One picture, in the model's thread."""
        wanted: Wanted = units[0]
        counts, begun, steps = self.worker.counts, time.monotonic(), 0
        pace = Pace(lambda done, of: serving.report("progress", phase="draw", text="Drawing", done=done, total=of, unit="steps"))

        def told(step: int, of: int) -> None:
            nonlocal steps
            steps = step
            counts["steps_total"] = counts.get("steps_total", 0) + 1
            pace(step, of)

        try:
            picture = self.pictures.draw(wanted, gone, told)
        finally:
            if pace.spoke:
                serving.report("progress", phase="ready", text="Ready")
        counts["images_total"] = counts.get("images_total", 0) + 1
        print(f"A picture of {picture.width}x{picture.height} in {steps} steps: {time.monotonic() - begun:.1f} s", flush=True)
        return [picture]


def _files(fields: Fields, name: str) -> list[bytes]:
    """The files under a name, from a form or as ``data:`` addresses."""
    found = [upload.data for upload in fields.uploads(name)]
    values = fields.values.get(name) or []
    for value in values if isinstance(values, list) else [values]:
        text = value.get("image_url") or value.get("url") if isinstance(value, dict) else value
        head, comma, body = str(text).partition(",")
        if not (head.startswith("data:") and head.endswith(";base64") and comma):
            raise Refusal(f"{name!r} has to be a file of a form or a 'data:…;base64,' address: this server fetches nothing.", param=name)
        try:
            found.append(base64.b64decode(body, validate=True))
        except ValueError as e:
            raise Refusal(f"{name!r} is no base64: {e}", param=name) from None
    return found


def _picture(data: bytes, name: str) -> Any:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        picture = Image.open(io.BytesIO(data))
        picture.load()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as e:
        raise Refusal(f"{name!r} is no picture that can be read: {e}", param=name) from None
    return ImageOps.exif_transpose(picture)


def _mask(mask: Any, size: tuple[int, int]) -> Any:
    """White where the picture may change."""
    from PIL import ImageOps

    if "A" in mask.getbands() or "transparency" in mask.info:
        mask = ImageOps.invert(mask.convert("RGBA").getchannel("A"))
    return mask.convert("L").resize(size)


def _packed(picture: Any, form: str, quality: int | None) -> str:
    held = io.BytesIO()
    picture.convert("RGB").save(held, FORMATS[form], **({} if form == "png" else {"quality": quality}))
    return base64.b64encode(held.getvalue()).decode("ascii")


if __name__ == "__main__":
    main(load)
