"""`OnlineTypedModule`: what the modules for a vendor's vectors, rankings, sounds and pictures have in common: the vendor's target.

Knows no type by its meaning and no wire format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...core.endpoints import Timeouts
from ..typed.typed_call import whole_address
from ..typed.typed_calls import TIMEOUTS, TypedCalls
from ..typed.typed_module import TypedModule
from . import online_options
from .online_endpoint import Key, OnlineTarget
from .targeted import Targeted


class OnlineTypedModule(Targeted, TypedModule):
    """Base of `OnlineEmbeddingModule` and `OnlineMultiModalModule`.

    Parameters
    ----------
    where : str
        What errors call the module.
    type : str
        ``embed cross_modal_embed rerank stt tts sd image_editing``.
    known : frozenset of str
        The module's own arguments, for the error about one that nobody knows.
    others : Mapping
        Arguments without a name of their own.
    """

    def __init__(
        self,
        where: str,
        type: str,
        known: frozenset[str],
        others: Mapping[str, Any],
        *,
        source: str | None = None,
        model: str | None = None,
        url: str | None = None,
        api_key: Key | None = None,
        skip_auth: bool = False,
        headers: Mapping[str, str] | None = None,
        options: Mapping[str, Any] | None = None,
        static_params: Mapping[str, Any] | None = None,
        timeout: float | tuple[float, float] | Timeouts | None = None,
        batch_size: int | None = None,
        num_worker: int | None = None,
        return_trace: bool = False,
        name: str = "",
    ) -> None:
        self._target: OnlineTarget = online_options.target(
            where,
            model=model,
            source=source,
            type=type,
            url=url,
            api_key=api_key,
            skip_auth=skip_auth,
            headers=headers,
            options=options,
            others=others,
            known=known,
        )
        if url:
            self._target = replace(self._target, endpoint=whole_address(self._target.endpoint, self._target.capability.codec, url))
        calls = TypedCalls(
            type,
            self._target.capability.codec,
            batch_size=batch_size,
            num_worker=num_worker or 4,
            timeouts=_limits(timeout),
            defaults=static_params,
        )
        super().__init__(calls, return_trace=return_trace, name=name)

    def __repr__(self) -> str:
        kind = type(self).__name__.removesuffix("Module")
        return f"<Module type={kind} name={self.name} source={self.source} model={self.model} url={self.base_url}>"


def _limits(given: float | tuple[float, float] | Timeouts | None) -> Timeouts:
    """Time limits; without a total of the user's own a task at a vendor is not waited for for ever."""
    if given is None or isinstance(given, Timeouts):
        return given or TIMEOUTS
    return replace(online_options.timeouts(given), total=TIMEOUTS.total)
