"""`OnlineChatModule`: a vendor's chat model. Differs from other chat modules in where the endpoint comes from, and in what a call
may say about it. Knows no wire format and holds no key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...core.endpoints import Endpoint, Timeouts
from ...core.messages import ChatRequest, Completion
from ...errors import ArgumentError
from ...providers import model_names
from ...runtime import prices
from ...runtime.secrets import keys
from .. import sessions, usage
from ..chat import Tools
from ..streaming.printing import StreamOption
from . import online_options
from .online_endpoint import Key, OnlineTarget, base_address
from .online_training import OnlineTraining

if TYPE_CHECKING:
    from ...runtime.answering.stream import Stream

CHAT = ("llm", "vlm")
ARGUMENTS = frozenset(
    {
        "api_key",
        "base_url",
        "extra",
        "headers",
        "model",
        "name",
        "return_trace",
        "skip_auth",
        "source",
        "static_params",
        "stream",
        "timeout",
        "type",
        "url",
    }
)
_OF_A_CALL = ("model", "url", "timeout", "max_retries")


class OnlineChatModule(OnlineTraining):
    """A vendor's model to talk to.

    Parameters
    ----------
    model : str, optional
        The vendor's name of the model; ``source:model``; or a source alone. The vendor's default when not given.
    source : str, optional
        A vendor's name or alias (see ``wb.providers()``). When not given: told from the model, else the setting
        ``WORKBENCH_DEFAULT_SOURCE``, else the first source whose key is there.
    base_url, url : str, optional
        Another address than the vendor's: a proxy of your own, or any server that speaks OpenAI's form.
    stream : bool or dict, optional
        Print every answer while it comes, as in `ChatModule`.
    return_trace, name
        As in `ModuleBase`.
    type : str, optional
        ``llm`` or ``vlm``.
    api_key : str or list of str, optional
        The key; several are taken in turn when one is refused or used up. Without it the key comes from the variables that
        ``wb.providers()`` names, ``./.env`` or the keyring.
    skip_auth : bool, optional
        Send no key; wants ``url``.
    static_params : dict, optional
        Parameters for every call that does not give its own.
    timeout : float, (float, float) or Timeouts, optional
        Seconds until the answer begins and between two pieces of it.
    extra : dict, optional
        Fields for the request's body that no parameter stands for; a call's own ``extra`` goes before these.
    headers : dict, optional
        Sent with every request; never a key.
    **others
        ``max_retries requests_per_minute concurrency proxy verify`` as in `workbench.core.endpoints.Network`; further parts of
        the key where the vendor has some, such as ``secret_key``.

    Raises
    ------
    ArgumentError
        For an unknown source or argument.
    AuthenticationFailed
        When the key is nowhere.

    Examples
    --------
    >>> m = wb.OnlineChatModule('gpt-4o-mini')
    >>> m = wb.OnlineChatModule(source='sensenova', stream=True)
    >>> m('Hello!', temperature=0.2)
    """

    def __init__(
        self,
        model: str | None = None,
        source: str | None = None,
        base_url: str | None = None,
        stream: StreamOption = False,
        return_trace: bool = False,
        *,
        url: str | None = None,
        skip_auth: bool = False,
        type: str | None = None,
        api_key: Key | None = None,
        static_params: Mapping[str, Any] | None = None,
        timeout: float | tuple[float, float] | Timeouts | None = 180.0,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        name: str = "",
        **others: Any,
    ) -> None:
        api_key, others = keys.sealed(api_key), keys.sealed(others)
        super().__init__(stream=stream, return_trace=return_trace, name=name)
        kind = model_names.canonical(type or model_names.type_of(model or "", source or "") or "llm")
        if kind not in CHAT:
            if type:
                raise ArgumentError(f"OnlineChatModule does not do {type!r}.", "", f"Write wb.OnlineModule(…, type={type!r}).")
            kind = "llm"
        self._target: OnlineTarget = online_options.target(
            "OnlineChatModule",
            model=model,
            source=source,
            type=kind,
            url=url,
            base_url=base_url,
            api_key=api_key,
            skip_auth=skip_auth,
            headers=headers,
            others=others,
            known=ARGUMENTS,
        )
        self.timeouts = online_options.timeouts(timeout)
        self._extra = _extra(extra)
        self._spent: dict[str, float] = {}  # by module, because faces of one module share this
        self._optional = frozenset(self._target.capability.parameters)
        if static_params is not None:
            self.static_params = static_params

    # ---- what it is

    @property
    def type(self) -> str:
        """What kind of model it is, in capitals: ``LLM`` or ``VLM``."""
        return self._target.type.upper()

    @property
    def cost(self) -> float | None:
        """What this module's answers have cost so far, in US dollars by published prices; None while no price is known."""
        return self._spent.get(self.module_id)

    # ---- calling

    def _open(self, input: Any, history: Any, tools: Tools | None, given: Mapping[str, Any]) -> Stream:
        if self._priced:
            prices.prepare()
        own = {name: given[name] for name in _OF_A_CALL if given.get(name) is not None}
        endpoint = self._endpoint_for(own)
        request = self.request(input, history, tools, {k: v for k, v in given.items() if k not in _OF_A_CALL})
        limits = online_options.timeouts(own["timeout"]) if "timeout" in own else self.timeouts
        return self._send(endpoint, replace(request, model=endpoint.model), limits, remember=history is None)

    def _endpoint_for(self, own: Mapping[str, Any]) -> Endpoint:
        """The endpoint, with what one call says about it."""
        endpoint = self.endpoint
        if "model" in own:
            endpoint = replace(endpoint, model=str(own["model"]))
        if "url" in own:
            endpoint = replace(endpoint, url=base_address(str(own["url"])))
        if "max_retries" in own:
            endpoint = replace(endpoint, network=replace(endpoint.network, max_retries=int(own["max_retries"])))
        return endpoint

    def _checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters as they are sent: ``extra`` beside the known ones; a misspelt one is refused."""
        extra = {**self._extra, **_extra(given.get("extra")), **(given.get("extra_body") or {})}
        rest = {k: v for k, v in given.items() if k not in ("extra", "extra_body")}
        return super()._checked({**rest, **({"extra_body": extra} if extra else {})})

    # ---- what it costs

    @property
    def _priced(self) -> bool:
        return bool(self.provider.prices) and self._target.published

    def cost_of(self, completion: Completion) -> float | None:
        """What an answer, such as ``m.stream('…').join()``, cost, in US dollars by published prices; None where no price is known."""
        if not self._priced:
            return None
        told = prices.cost(self.provider.prices, completion.model, completion.usage)  # the call may have named another model
        return told if told is not None else prices.cost(self.provider.prices, self.model, completion.usage)

    def _cost(self, completion: Completion) -> float | None:
        return self.cost_of(completion)

    def _ended(self, call: usage.Call | None, talk: sessions.Session | None, request: ChatRequest, completion: Completion) -> None:
        super()._ended(call, talk, request, completion)
        cost = self.cost_of(completion)
        if cost is not None:
            self._spent[self.module_id] = cost + self._spent.get(self.module_id, 0.0)

    def __repr__(self) -> str:
        return f"<Module type=OnlineChat name={self.name} source={self.source} model={self.model} url={self.base_url}>"


def _extra(given: Mapping[str, Any] | None) -> dict[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise ArgumentError(f"extra cannot be a {given.__class__.__name__}.", "", "Give a dict of fields for the request's body.")
    return dict(given or {})
