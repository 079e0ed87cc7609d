"""`OnlineModule`: one name for every kind of online model. Decides the kind; each kind is a module of its own."""

from __future__ import annotations

import importlib
from typing import Any

from ...errors import ArgumentError
from ...providers import model_names
from ...providers.reading import CODECS
from ...runtime.secrets import keys
from . import online_endpoint

_CLASSES = {
    "llm": ".online_chat:OnlineChatModule",
    "vlm": ".online_chat:OnlineChatModule",
    "embed": ".online_embedding:OnlineEmbeddingModule",
    "cross_modal_embed": ".online_embedding:OnlineEmbeddingModule",
    "rerank": ".online_embedding:OnlineEmbeddingModule",
    "stt": ".online_multimodal:OnlineMultiModalModule",
    "tts": ".online_multimodal:OnlineMultiModalModule",
    "sd": ".online_multimodal:OnlineMultiModalModule",
    "image_editing": ".online_multimodal:OnlineMultiModalModule",
}


class _Kinds(type):
    def __instancecheck__(cls, thing: object) -> bool:
        made = {f"{__package__}{path}" for path in _CLASSES.values()}
        return any(f"{c.__module__}:{c.__qualname__}" in made for c in type(thing).__mro__)


class OnlineModule(metaclass=_Kinds):
    """A vendor's model of any type.

    Parameters
    ----------
    model : str, optional
        The vendor's name of the model; ``source:model``; or a source alone. The vendor's default when not given.
    source : str, optional
        A vendor's name or alias (see ``wb.providers()``). When not given: told from the model, else the setting
        ``WORKBENCH_DEFAULT_SOURCE``, else the first source whose key is there.
    type, function : str, optional
        ``llm vlm embed cross_modal_embed rerank stt tts sd image_editing`` (``text2image`` is ``sd``). When not given: told from
        the model's name, else ``llm``.
    url : str, optional
        Another address than the vendor's; alone, any server that speaks OpenAI's form.
    **others
        As in the module that is made: ``api_key``, ``stream``, ``return_trace``, ``skip_auth``, …

    Returns
    -------
    OnlineChatModule, OnlineEmbeddingModule or OnlineMultiModalModule

    Raises
    ------
    ArgumentError
        For an unknown source, type or argument.
    AuthenticationFailed
        When the key is nowhere.

    Examples
    --------
    >>> wb.OnlineModule('gpt-4o-mini')('Hello!')
    >>> wb.OnlineModule(type='embed', source='qwen')('text')
    >>> wb.OnlineModule('any', url='http://127.0.0.1:8000/v1/', skip_auth=True)
    """

    def __new__(
        cls,
        model: str | None = None,
        source: str | None = None,
        *,
        type: str | None = None,
        url: str | None = None,
        function: str | None = None,
        **others: Any,
    ) -> Any:
        others = keys.sealed(others)
        wanted = type or function or ""
        if not wanted and model:
            vendor, name = online_endpoint.split(source or "", model)
            wanted = model_names.type_of(name, vendor)
        wanted = model_names.canonical(wanted or "llm")
        if wanted not in CODECS:
            raise ArgumentError(f"There is no type {type or function!r}.", "", f"Choose one of: {', '.join(CODECS)}.")
        module, _, name = _CLASSES[wanted].partition(":")
        kind = getattr(importlib.import_module(module, __package__), name)
        return kind(model=model, source=source, type=wanted, url=url, **others)
