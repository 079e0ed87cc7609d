"""Pictures from a text, and pictures changed by one.

The codecs ``images`` and ``image_edits`` differ in which of their ``form`` is the default and in that the second sends pictures.

===================  =================================================================================================
``openai``           ``/images/generations {model, prompt, n, size}`` → ``data[{b64_json or url}]``; the default
``multipart``        ``/images/edits``, a form with ``image[]`` and ``mask``; the default of ``image_edits``
``siliconflow``      ``{model, prompt, image_size, batch_size, image, image2 …}`` → ``images[{url}]``
``minimax``          ``/image_generation {model, prompt, width, height, n}`` → ``data.image_urls`` or ``data.image_base64``
``nested``           ``{model, input: {prompt}, extra_body: {…}}`` → ``data[{url}]``: AIPing
``dashscope``        messages with pictures and a text → ``output.choices[].message.content[].image``: Qwen, at once
``dashscope_task``   a task to wait for → ``output.results[{url}]``: wanx and older models
``gemini``           ``generateContent`` with pictures as a modality → parts with the picture
``imagen``           ``:predict {instances, parameters}`` → ``predictions[{bytesBase64Encoded}]``
===================  =================================================================================================

Other options: ``path``, ``body``, ``images`` (``openai``: how pictures go into the JSON: ``image`` an address or a list of them,
``images`` a list of ``{image_url}``, ``objects`` as ``{url}``, ``input_references`` OpenRouter's parts), ``size`` (a default), ``size_sign`` (``*``),
``image_field`` (``multipart``: another name). Formats: https://platform.openai.com/docs/api-reference/images and the modules
named ``images_…`` beside this one.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..core.media import Media, of_bytes
from ..core.protocols import FormPart, HttpRequest, Refused
from ..core.typed import DrawRequest, Files
from ..errors import ArgumentError
from .codec import JsonCodec, choose, model_of, read, remote, request_id_of, usage_of


class OpenAIImages(JsonCodec):
    """``POST …/images/generations``; pictures to change go into the same JSON where the options say how."""

    name = "images"
    path = "/images/generations"
    known = frozenset(
        {"n", "size", "quality", "response_format", "style", "background", "moderation", "output_format", "output_compression", "user"}
        | {"seed", "watermark", "watermark_enabled", "guidance_scale", "negative_prompt", "prompt_extend", "steps", "guidance", "user_id"}
        | {"sequential_image_generation", "sequential_image_generation_options", "aspect_ratio", "resolution", "input_fidelity"}
        | {"num_inference_steps", "strength", "image_guidance_scale", "true_cfg_scale", "eta"}  # diffusers' names
    )

    def encode(self, request: DrawRequest) -> HttpRequest:
        body = {"model": request.model or None, "prompt": request.prompt, **self._pictures(request), **self._parameters(request)}
        return self._once(self.post(body, request.model))

    def _parameters(self, request: DrawRequest) -> dict[str, Any]:
        parameters = dict(request.parameters)
        if self.options.get("size"):
            parameters.setdefault("size", self.options["size"])
        return parameters

    def _pictures(self, request: DrawRequest) -> dict[str, Any]:
        if not request.images:
            return {}
        how, addresses = self.options.get("images", ""), [i.address for i in request.images]
        if how == "image":
            return {"image": addresses[0] if len(addresses) == 1 else addresses}
        if how == "images":
            return {"images": [{"image_url": a} for a in addresses]}
        if how == "objects":
            return {"image": {"url": addresses[0]}} if len(addresses) == 1 else {"images": [{"url": a} for a in addresses]}
        if how == "input_references":
            return {"input_references": [{"type": "image_url", "image_url": {"url": a}} for a in addresses]}
        raise ArgumentError("This model makes pictures from a text alone.", "Pictures were given.", "Use type='image_editing' to change pictures.")

    @staticmethod
    def _once(call: HttpRequest) -> HttpRequest:
        """The request, not to be sent twice: a picture is paid for when it is made, not when it arrives."""
        return HttpRequest(call.method, call.path, call.json, call.headers, call.content, call.files, call.query, repeatable=False)

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Any:
        found = read(body)
        return pictures(found.get("data") or found.get("images") or (), headers, found)


class MultipartImages(OpenAIImages):
    """``POST …/images/edits``: a form with the pictures as files."""

    path = "/images/edits"

    def encode(self, request: DrawRequest) -> HttpRequest:
        if not request.images:
            raise ArgumentError("There is no picture to change.", "", "Give files=['picture.png'].")
        fields: dict[str, Any] = {
            "model": request.model or None,
            "prompt": request.prompt,
            **self.options.get("body", {}),
            **self._parameters(request),
        }
        parts = [FormPart(name, _text(value)) for name, value in fields.items() if value is not None]
        name = self.options.get("image_field", "image" if len(request.images) == 1 else "image[]")
        parts += [FormPart(name, i.data, i.file_name, i.mime) for i in request.images]
        if request.mask is not None:
            parts.append(FormPart("mask", request.mask.data, request.mask.file_name, request.mask.mime))
        return HttpRequest("POST", self.address(request.model), files=tuple(parts), repeatable=False)

    needs_content = True  # pictures at an address have to be fetched before they are sent


def pictures(rows: Iterable[Any], headers: Mapping[str, str], found: Any, text: str = "") -> Files:
    """The result of rows ``{b64_json}``, ``{url}``, or bare addresses and base64.

    Raises
    ------
    Refused
        When there is no picture among them.
    """
    media, said, failed = list[Media](), text, ""
    for row in rows:
        d = row if isinstance(row, Mapping) else {"url": row} if str(row)[:5] in ("http:", "https", "data:") else {"b64_json": row}
        packed = d.get("b64_json") or d.get("base64") or d.get("bytesBase64Encoded")
        where = d.get("url") or d.get("image_url") or d.get("image")
        if packed:
            media.append(of_bytes(base64.b64decode(packed), "", f"image-{len(media)}"))
        elif where and str(where).startswith("data:"):
            from ..core.media import of_data_url

            media.append(of_data_url(str(where)))
        elif where:
            media.append(remote(str(where), "image"))
        else:
            failed = str(d.get("error") or d.get("message") or d.get("code") or failed)
        said = str(d.get("revised_prompt") or said)
    if not media:
        import json

        raise Refused(json.dumps({"message": failed or said or "The answer holds no picture.", "code": "no_picture"}, ensure_ascii=False))
    return Files(tuple(media), usage_of(found), model_of(found), request_id_of(headers, found), 0, said)


def size_of(value: Any) -> tuple[int, int] | None:
    """Width and height of ``1024x768``, ``1024*768`` or a pair; None for anything else, such as ``auto``."""
    pair: Sequence[Any] = value if isinstance(value, list | tuple) else str(value).lower().replace("*", "x").split("x")
    try:
        width, height = pair
        return int(width), int(height)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def images(options: Mapping[str, Any] | None = None) -> OpenAIImages:
    """The codec for the ``form`` in the options."""
    return _chosen("images", "openai", options)


def image_edits(options: Mapping[str, Any] | None = None) -> OpenAIImages:
    """The codec for the ``form`` in the options, for changing pictures."""
    return _chosen("image_edits", "multipart", options)


def _chosen(what: str, default: str, options: Mapping[str, Any] | None) -> OpenAIImages:
    from . import images_native as native

    forms: dict[str, type[OpenAIImages]] = {
        "openai": OpenAIImages,
        "multipart": MultipartImages,
        "siliconflow": native.SiliconflowImages,
        "minimax": native.MinimaxImages,
        "nested": native.NestedImages,
        "dashscope": native.DashscopeImages,
        "dashscope_task": native.DashscopeTaskImages,
        "gemini": native.GeminiImages,
        "imagen": native.ImagenImages,
    }
    found: OpenAIImages = choose(what, forms, {"form": default, **(options or {})})
    return found
