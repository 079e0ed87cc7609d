"""`Adapted`: the faces of a module that answer with a LoRA adapter: the same server, asked for another name.

Knows which adapter a face has, and when its server has to be told of it again; which one a user means is `adapters`, the requests are
`workbench.runtime.deployments.adapters`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ... import registry
from ...core.kinds import CHATS, noun
from ...errors import ArgumentError, EndpointError, ModelUnknown, NotStarted
from ...formatters import Formatter
from ..chat import Prompt
from ..streaming.printing import StreamOption
from ..streaming.switch import StreamSwitch
from . import adapters
from .adapters import Adapter
from .tuned import Tuned

if TYPE_CHECKING:
    from ...core.endpoints import Endpoint

Generation = tuple[str, int]  # a deployment, and how often its engine has come up


class Adapted(Tuned):
    """A `Tuned` that may answer with an adapter."""

    _adapter: Adapter | None = None
    _adapted_in: Generation = ("", 0)  # where the adapter was loaded last

    @property
    def adapter(self) -> str:
        """The adapter that this face answers with, by its name on the server; empty for the model itself."""
        return self._adapter.name if self._adapter else ""

    @property
    def adapters(self) -> dict[str, str]:
        """The adapters that the server has: their names, and where it read them. Raises `NotStarted` before `start`."""
        from ...runtime.deployments import adapters as server

        endpoint = self._base_endpoint()
        given = self._given_adapters()
        if endpoint.job_id and not endpoint.options.get("adapters"):
            return given
        return {**given, **server.adapters(endpoint)}

    def share(
        self,
        prompt: Prompt = None,
        format: Formatter | None = None,
        stream: StreamOption | StreamSwitch | None = None,
        history: Any = None,
        copy_static_params: bool = False,
        *,
        adapter: Any = None,
    ) -> Self:
        """Another face of the same deployment: its own prompt, formatter, history and stream option, and its own LoRA adapter.

        What is not given is taken over, hooks and default parameters too; what either sets later, the other does not see.
        Nothing new is deployed; starting or stopping one starts or stops all.

        Parameters
        ----------
        prompt, format, stream, history : optional
            As in `prompt`, `formatter` and the constructor.
        copy_static_params : bool, optional
            For those who name it: the default parameters are a copy in any case.
        adapter : str, Path or TrainableModule, optional
            A LoRA adapter to answer with, loaded when the server has it not: its folder, or the folder of the run that made it; the module that
            was fine-tuned; the name of its target; or a name that the server knows. An empty text is the model itself.

        Raises
        ------
        ModelNotFound
            When there is no such adapter.
        ArgumentError
            When it does not fit the model, or the server takes none.

        Examples
        --------
        >>> base = wb.TrainableModule('pocket').deploy_method(wb.deploy.vllm, enable_lora=True).start()
        >>> mine = base.share(adapter='mine')
        >>> base('Hi'), mine('Hi')
        """
        other = super().share(prompt, format, stream, history, copy_static_params)
        if adapter is None:
            return other
        if isinstance(adapter, str) and not adapter:
            other._adapter = None
            return other
        if (kind := self._kind) and kind not in CHATS:
            raise ArgumentError(f"{self.name} is {noun(kind)}: it takes no adapter.", "Adapters go with chat models.", "Leave adapter= out.")
        other._adapt(adapter)
        return other

    def unload_adapter(self, name: str) -> Self:
        """Let the server forget an adapter that was loaded while it runs. Raises `ModelNotFound` when it has none of that name."""
        from ...runtime.deployments import adapters as server

        server.unload(self._base_endpoint(), name)
        return self

    def _adapt(self, wanted: Any) -> None:
        given = self._given_adapters()
        if isinstance(wanted, str) and wanted in given:
            self._adapter, self._name = Adapter(wanted), self._name or wanted
            return
        endpoint = self._serving.endpoint
        if endpoint is None:
            fix = "Type start() first; or name it at the start: deploy_method(wb.deploy.vllm, adapters={'name': …})."
            raise NotStarted(f"{self.name} is not deployed: there is no server to load an adapter.", "", fix)
        self._check_takes(endpoint, wanted)
        there = {**given, **self.adapters}
        chosen = adapters.found(wanted, there) if endpoint.job_id else _anywhere(wanted, there)
        if chosen.path:
            adapters.check_base(chosen, self._served_model())
            same = next((name for name, path in there.items() if path == chosen.path), "")
            chosen = Adapter(same or adapters.free(chosen.name, {*there, endpoint.model}), chosen.path)
        self._adapter, self._adapted_in = chosen, ("", 0)
        self._name = self._name or chosen.name
        self._with_adapter(endpoint)

    def _with_adapter(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint, asked for this face's adapter; an engine that was started anew has forgotten it, and is told again."""
        if self._adapter is None:
            return endpoint
        if self._adapter.path and (now := self._generation()) != self._adapted_in:
            from ...runtime.deployments import adapters as server

            server.load(endpoint, *self._adapter)
            self._adapted_in = now
        options = {**endpoint.options, "adapter": self._adapter.path} if self._adapter.path else endpoint.options
        return replace(endpoint, model=self._adapter.name, options=options)

    def _unloaded(self, error: EndpointError) -> EndpointError:
        """An error that says so where the server does not know this face's adapter any more."""
        if self._adapter is None or not isinstance(error, ModelUnknown):
            return error
        where = self._adapter.path or self._adapter.name
        error.what = f"The server has no adapter {self._adapter.name!r} any more."
        anew = bool(self._adapter.path) and self._generation() != self._adapted_in
        error.fix = "Ask again: the engine was started anew, and the next call loads it." if anew else f"share(adapter={where!r}) loads it again."
        return error

    def _generation(self) -> Generation:
        job_id = self._serving.job_id
        if not job_id:
            return "there", 1
        from ...runtime.work import jobs

        return job_id, jobs.store().tally(job_id, "ready")[0]

    def _check_takes(self, endpoint: Endpoint, wanted: Any) -> None:
        """Refuse before anything is looked for where the engine loads no adapters while it runs."""
        if not endpoint.job_id or endpoint.options.get("adapters"):
            return
        record = self._serving.record
        engine = record.spec.backend if record is not None else ""
        title = str(getattr(registry.get("deploy", engine), "title", "") or engine) if engine in registry.names("deploy") else engine
        able = engine in ("vllm", "llama_cpp")
        cause = f"{title} was started without room for adapters." if able else f"{title} loads none while it runs; vLLM and llama.cpp do."
        fix = f"Write deploy_method(wb.deploy.{engine if able else 'vllm'}, enable_lora=True), or adapters=[…] to have them from the start."
        raise ArgumentError(f"No adapter can be loaded beside {self.name}.", cause, fix)

    def _given_adapters(self) -> dict[str, str]:
        """Those that the deployment was started with, or is to be."""
        record = self._serving.record
        if record is not None:
            return {str(k): str(v) for k, v in (record.spec.payload.get("adapters") or {}).items()}
        wish = self._methods["deploy"].arguments.get("adapters")
        return adapters.several(wish) if wish else {}

    def _served_model(self) -> str:
        record = self._serving.record
        return str(record.spec.payload.get("model", "")) if record is not None else ""

    def _base_endpoint(self) -> Endpoint:
        endpoint = self._serving.endpoint
        if endpoint is None:
            raise NotStarted(f"{self.name} is not deployed.", "It was asked before it was started.", "Type start() on it first.")
        return endpoint


def _anywhere(wanted: Any, there: dict[str, str]) -> Adapter:
    """For a server of the user's, which may see other folders than this machine: a path is taken as it is."""
    if isinstance(wanted, str) and wanted.startswith("/") and wanted not in there and not Path(wanted).exists():
        return Adapter(wanted.rstrip("/").rpartition("/")[2], wanted)
    return adapters.found(wanted, there)
