"""Pictures in the forms of SiliconFlow, MiniMax, AIPing, DashScope and Gemini.

Formats: https://docs.siliconflow.cn/cn/api-reference/images/images-generations,
https://platform.minimax.io/docs/api-reference/image-generation-t2i,
https://help.aliyun.com/zh/model-studio/qwen-image-api, https://help.aliyun.com/zh/model-studio/text-to-image-v2-api-reference,
https://ai.google.dev/gemini-api/docs/image-generation. See `workbench.dialects.images` for the table of forms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.protocols import HttpRequest, Refused
from ..core.typed import DrawRequest
from .codec import read
from .embeddings_native import gemini_part
from .images import OpenAIImages, pictures, size_of
from .tasks import ASYNC, follow


class SiliconflowImages(OpenAIImages):
    """SiliconFlow: other names for the size and the number; up to three pictures to change."""

    known = OpenAIImages.known | {"image_size", "batch_size", "num_inference_steps", "cfg"}

    def encode(self, request: DrawRequest) -> HttpRequest:
        p = self._parameters(request)
        for ours, theirs in (("size", "image_size"), ("n", "batch_size"), ("steps", "num_inference_steps")):
            if ours in p:
                p.setdefault(theirs, p.pop(ours))
        given = {("image" if n == 0 else f"image{n + 1}"): i.address for n, i in enumerate(request.images)}
        return self._once(self.post({"model": request.model, "prompt": request.prompt, **given, **p}, request.model))

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Any:
        found = read(body)
        return pictures(found.get("images") or found.get("data") or (), headers, found)


class MinimaxImages(OpenAIImages):
    """MiniMax; a picture that is given is the subject's."""

    path = "/image_generation"
    known = frozenset({"n", "size", "aspect_ratio", "width", "height", "seed", "prompt_optimizer", "response_format", "style", "aigc_watermark"})

    def encode(self, request: DrawRequest) -> HttpRequest:
        p = self._parameters(request)
        size = size_of(p.pop("size", None))
        if size:
            p.setdefault("width", size[0])
            p.setdefault("height", size[1])
        if p.get("response_format") == "b64_json":
            p["response_format"] = "base64"
        subjects = [{"type": "character", "image_file": i.address} for i in request.images]
        return self._once(self.post({"model": request.model, "prompt": request.prompt, "subject_reference": subjects or None, **p}, request.model))

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Any:
        found = read(body)
        data = found.get("data") or {}
        return pictures(data.get("image_urls") or data.get("image_base64") or (), headers, found)


class NestedImages(OpenAIImages):
    """AIPing: the prompt within ``input``, all else within ``extra_body``."""

    def encode(self, request: DrawRequest) -> HttpRequest:
        p = self._parameters(request)
        given = {"prompt": request.prompt, **({"negative_prompt": p.pop("negative_prompt")} if "negative_prompt" in p else {})}
        if request.images:
            given["image"] = request.images[0].address
        return self._once(self.post({"model": request.model, "input": given, "extra_body": p or None}, request.model))


class DashscopeImages(OpenAIImages):
    """Qwen's pictures, made and changed in one request; a size is written ``1024*768``."""

    path = "/services/aigc/multimodal-generation/generation"
    known = frozenset({"n", "size", "seed", "negative_prompt", "prompt_extend", "watermark", "enable_interleave", "thinking_mode"})

    def encode(self, request: DrawRequest) -> HttpRequest:
        content = [*({"image": i.address} for i in request.images), {"text": request.prompt}]
        given = {"messages": [{"role": "user", "content": content}]}
        return self._once(self.post({"model": request.model, "input": given, "parameters": self._sized(request)}, request.model))

    def _sized(self, request: DrawRequest) -> dict[str, Any] | None:
        p = self._parameters(request)
        size = size_of(p.get("size"))
        if size:
            p["size"] = f"{size[0]}*{size[1]}"
        return p or None

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Any:
        return follow(body, lambda found: self._made(found, headers))

    @staticmethod
    def _made(found: Any, headers: Mapping[str, str]) -> Any:
        parts = [p for c in found["output"].get("choices") or () for p in c["message"]["content"]]
        said = " ".join(p["text"] for p in parts if p.get("text"))
        return pictures([p for p in parts if p.get("image")], headers, found, said)


class DashscopeTaskImages(DashscopeImages):
    """The older models: a task."""

    path = "/services/aigc/text2image/image-synthesis"
    known = frozenset({"n", "size", "seed", "negative_prompt", "prompt_extend", "watermark", "style", "ref_mode", "ref_strength", "function"})

    def encode(self, request: DrawRequest) -> HttpRequest:
        p = self._sized(request) or {}
        given: dict[str, Any] = {"prompt": request.prompt}
        given |= {k: p.pop(k) for k in ("negative_prompt", "function") if k in p}
        if request.images:
            given[self.options.get("image_field", "base_image_url")] = request.images[0].address
        if request.mask is not None:
            given["mask_image_url"] = request.mask.address
        return self._once(self.post({"model": request.model, "input": given, "parameters": p or None}, request.model, ASYNC))

    @staticmethod
    def _made(found: Any, headers: Mapping[str, str]) -> Any:
        output = found["output"]
        if output.get("choices"):
            return DashscopeImages._made(found, headers)
        return pictures(output.get("results") or (), headers, found)


class GeminiImages(OpenAIImages):
    """Gemini's picture models; pictures to change are parts of the request."""

    path = "/models/{model}:generateContent"
    known = frozenset({"n", "aspect_ratio", "size", "temperature", "seed"})

    def encode(self, request: DrawRequest) -> HttpRequest:
        p = self._parameters(request)
        shape = {"aspectRatio": p.pop("aspect_ratio", None), "imageSize": p.pop("size", None)}
        shape = {k: v for k, v in shape.items() if v is not None}
        settings: dict[str, Any] = {"responseModalities": ["TEXT", "IMAGE"], **({"imageConfig": shape} if shape else {})}
        settings |= {theirs: p.pop(ours) for ours, theirs in (("temperature", "temperature"), ("seed", "seed"), ("n", "candidateCount")) if ours in p}
        parts = [*(gemini_part("image", i) for i in request.images), {"text": request.prompt}]
        return self._once(self.post({"contents": [{"role": "user", "parts": parts}], "generationConfig": settings, **p}, request.model))

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Any:
        found = read(body)
        if not found.get("candidates"):
            raise Refused(body.decode("utf-8", "replace"))
        parts = [p for c in found["candidates"] for p in c.get("content", {}).get("parts", ()) if not p.get("thought")]
        said = "".join(p.get("text", "") for p in parts)
        return pictures([{"b64_json": p["inlineData"]["data"]} for p in parts if p.get("inlineData")], headers, found, said)


class ImagenImages(OpenAIImages):
    """Imagen through ``:predict``."""

    path = "/models/{model}:predict"
    known = frozenset({"n", "aspect_ratio", "size", "seed", "negative_prompt"})

    def encode(self, request: DrawRequest) -> HttpRequest:
        p = self._parameters(request)
        names = {"n": "sampleCount", "aspect_ratio": "aspectRatio", "size": "sampleImageSize", "negative_prompt": "negativePrompt"}
        parameters = {names.get(k, k): v for k, v in p.items()}
        return self._once(self.post({"instances": [{"prompt": request.prompt}], "parameters": {"sampleCount": 1, **parameters}}, request.model))

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Any:
        found = read(body)
        return pictures(found.get("predictions") or (), headers, found)
