"""`OnlineEmbeddingModule`: a vendor's vectors and rankings. `OnlineEmbeddingModuleBase` is for vendors that users write themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...core.endpoints import Timeouts
from ...errors import ArgumentError
from ...providers import model_names
from ...runtime.secrets import keys
from .online_endpoint import Key
from .online_typed import OnlineTypedModule

TYPES = ("embed", "cross_modal_embed", "rerank")
ARGUMENTS = frozenset(
    {"api_key", "batch_size", "embed_model_name", "embed_url", "headers", "model", "name", "num_worker", "options", "return_trace"}
    | {"skip_auth", "source", "static_params", "timeout", "type", "url"}
)


class OnlineEmbeddingModule(OnlineTypedModule):
    """Vectors of texts and pictures, or the order of documents for a query, from a vendor.

    Parameters
    ----------
    source : str, optional
        A vendor's name or alias (see ``wb.providers()``); the first with a key when not given.
    embed_url, url : str, optional
        Another address than the vendor's: its base, or the whole of it.
    embed_model_name, model : str, optional
        The vendor's name of the model; the vendor's default when not given.
    type : str, optional
        ``embed`` (the default), ``cross_modal_embed`` (texts and pictures) or ``rerank``.
    api_key : str or list of str, optional
    skip_auth : bool, optional
        Send no key; wants an address.
    batch_size : int, optional
        The most inputs of one request; what the vendor takes when not given.
    num_worker : int, optional
        How many requests of one call are under way at once; 4 when not given.
    static_params : dict, optional
        Parameters for every call that does not give its own.
    timeout : float, (float, float) or Timeouts, optional
    headers, options : dict, optional
        Sent with every request; what the codec has to know about a server of your own, such as ``{'form': 'tei'}``
        (see `workbench.dialects.embeddings` and `workbench.dialects.rerank`).
    return_trace, name
        As in `ModuleBase`.

    Examples
    --------
    >>> m = wb.OnlineEmbeddingModule(source='qwen')
    >>> m('a text')                                       # a list of floats
    >>> m(['one', 'two'], dimensions=256)                 # a list of such lists
    >>> r = wb.OnlineEmbeddingModule('glm', type='rerank')
    >>> r('query', documents=['a', 'b', 'c'], top_n=2)    # [(index, score), …], the best first
    """

    def __init__(
        self,
        source: str | None = None,
        embed_url: str | None = None,
        embed_model_name: str | None = None,
        *,
        model: str | None = None,
        url: str | None = None,
        type: str | None = None,
        api_key: Key | None = None,
        skip_auth: bool = False,
        batch_size: int | None = None,
        num_worker: int | None = None,
        static_params: Mapping[str, Any] | None = None,
        timeout: float | tuple[float, float] | Timeouts | None = None,
        headers: Mapping[str, str] | None = None,
        options: Mapping[str, Any] | None = None,
        return_trace: bool = False,
        name: str = "",
        **others: Any,
    ) -> None:
        api_key, others = keys.sealed(api_key), keys.sealed(others)
        wanted = model or embed_model_name
        kind = model_names.canonical(type) if type else model_names.type_of(wanted or "")
        if not type and kind not in TYPES:
            kind = "embed"
        if kind not in TYPES:
            raise ArgumentError(f"Unknown type of online embedding module: {type!r}.", "", f"Choose one of: {', '.join(TYPES)}.")
        super().__init__(
            "OnlineEmbeddingModule",
            kind,
            ARGUMENTS,
            others,
            source=source,
            model=_same("model", model, "embed_model_name", embed_model_name),
            url=_same("url", url, "embed_url", embed_url),
            api_key=api_key,
            skip_auth=skip_auth,
            headers=headers,
            options=options,
            static_params=static_params,
            timeout=timeout,
            batch_size=batch_size,
            num_worker=num_worker,
            return_trace=return_trace,
            name=name,
        )

    def forward(self, input: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Vectors, or a ranking.

        Parameters
        ----------
        input : str, list, Path, dict, …
            For vectors: a text, or a list of them in any number; with ``cross_modal_embed`` also pictures as `data.media` takes
            them, and dicts ``{'text': …, 'image': …}``, which become one vector. For a ranking: the query.
        documents : list, for a ranking
        top_n : int, for a ranking
            How many of the best; all when not given.
        modality : str, for vectors
            ``image``: texts are paths and addresses of pictures.
        model : str, optional
            Another model for this call.
        extra : dict, optional
            Fields for the request that no parameter stands for.
        **parameters
            ``dimensions``, … of the vendor's form; a misspelt one is refused.

        Returns
        -------
        list of float, list of these, or list of (int, float)
            A vector; for a list one each, in order; for a ranking (index, score), the best first.

        Raises
        ------
        ArgumentError, DataError, EndpointError
        """
        return super().forward(input, *args, **kwargs)


class OnlineEmbeddingModuleBase(OnlineEmbeddingModule):
    """A vendor that the workbench does not know: say where it is, and override how a request is made and an answer read.

    Parameters
    ----------
    *place : str
        Address, key and model, or before these the vendor's name.
    model_series, embed_url, api_key, embed_model_name : str, optional
        The same by name.
    return_trace : bool, optional

    Examples
    --------
    >>> class MyVendor(wb.OnlineEmbeddingModuleBase):
    ...     def __init__(self):
    ...         super().__init__('https://example.com/embed', 'key', 'model')
    ...     def _encapsulated_data(self, text, **kwargs):
    ...         return {'text': text}
    ...     def _parse_response(self, response):
    ...         return response['vector']
    """

    def __init__(
        self,
        *place: str,
        model_series: str = "",
        embed_url: str = "",
        api_key: str = "",
        embed_model_name: str = "",
        return_trace: bool = False,
    ) -> None:
        if len(place) > 4:
            raise ArgumentError(f"{type(self).__name__} takes at most four places.", "", "Give the vendor's name, address, key and model.")
        names = ("model_series", "embed_url", "api_key", "embed_model_name")[0 if len(place) == 4 else 1 :]
        given = dict(zip(names, place, strict=False))
        series = model_series or given.get("model_series", "")
        url = embed_url or given.get("embed_url", "")
        key = api_key or given.get("api_key", "")
        super().__init__(
            None, url, embed_model_name or given.get("embed_model_name") or "model", api_key=None, skip_auth=True, return_trace=return_trace
        )
        from ...runtime.secrets import keys

        endpoint = replace(self._target.endpoint, source=series or "custom", key_ref=keys.hold(key) if key else "", options={"path": ""}, url=url)
        self._target = replace(self._target, endpoint=endpoint)

    def _encapsulated_data(self, input: Any, **kwargs: Any) -> dict[str, Any]:
        """The request's body."""
        return {"input": input, "model": self.model, **kwargs}

    def _parse_response(self, response: Any) -> Any:
        """What a call returns, from the answer's JSON."""
        rows = response["data"]
        return rows[0]["embedding"]

    def forward(self, input: Any = None, *args: Any, **kwargs: Any) -> Any:
        """What `_parse_response` makes of the answer to `_encapsulated_data`."""
        from ...core.protocols import HttpRequest
        from ...runtime.network.calls import call

        answer = call(self.endpoint, "plain", HttpRequest("POST", "", self._encapsulated_data(input, **kwargs)), self._calls.timeouts)
        return self._parse_response(answer.json())

    async def aforward(self, input: Any = None, *args: Any, **kwargs: Any) -> Any:
        """The same without blocking the event loop."""
        from ...core.protocols import HttpRequest
        from ...runtime.network.calls import acall

        answer = await acall(self.endpoint, "plain", HttpRequest("POST", "", self._encapsulated_data(input, **kwargs)), self._calls.timeouts)
        return self._parse_response(answer.json())


def _same(name: str, value: str | None, other: str, also: str | None) -> str | None:
    if value and also and value != also:
        raise ArgumentError(f"Conflicting parameters: {name} and {other}.", "They mean the same and differ here.", "Give one of them.")
    return value or also
