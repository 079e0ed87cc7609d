"""`UrlModule`: a module that answers through an address: a server of ours, by URL, name or id, or any server that takes and gives
JSON. Knows calls and their pieces; what is behind the address it does not know.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from ...core.endpoints import Endpoint
from ...errors import ArgumentError, EndpointError, NotStarted
from ...formatters import Formatter, chain
from ...runtime.threads import in_thread
from .. import sessions, usage
from ..base import ModuleBase
from ..local.serving import Serving
from ..local.tended import Tended
from ..streaming.outlet import Outlet
from ..streaming.printing import StreamOption, check_stream
from ..streaming.switch import StreamSwitch
from . import address, url_body

if TYPE_CHECKING:
    from ...runtime.deployments.deployment import Deployment
    from ...runtime.deployments.service import Feed, Request
    from ...runtime.work.job import Job


class Switch(StreamSwitch):
    """The stream option of a `UrlModule`, which can also be called to open a `Feed`."""

    __slots__ = ()
    _module: UrlModule  # type: ignore[assignment]  # what chat modules share with it is the option

    def __init__(self, module: UrlModule, option: StreamOption) -> None:
        self._module, self.option = module, option

    def __call__(self, *args: Any, **kwargs: Any) -> Feed:
        """Call it, and read the answer piece by piece.

        Returns
        -------
        Feed
            Iterate it for the pieces (``for`` or ``async for``): a `Piece` for each text, other values as they are; ``join()`` it
            for the result; ``close()``, or a ``break`` out of the loop, ends the call in the server.
        """
        module = self._module
        endpoint = module._asked()
        return module._open(endpoint, module._request(endpoint, args, kwargs, True))


class UrlModule(Tended):
    """A function, flow or module behind an address.

    Parameters
    ----------
    url : str
        The server's URL; for a `ServerModule` of this machine its name or job id do as well, and its key is found by itself.
    stream : bool or dict, optional
        Ask for the answer in pieces, and print them as they come; a dict gives ``color``, ``prefix`` and so on.
    return_trace : bool, optional
        As in `ModuleBase`.
    init_prompt : bool, optional
        Taken for those who give it; a server has no prompt.
    security_key : str, optional
        The key of a server elsewhere.
    name : str, optional
        What people see.

    Examples
    --------
    >>> s = wb.ServerModule(lambda x: x * 2).start()
    >>> u = wb.UrlModule(url=s.url)
    >>> u(1)
    2
    """

    stays_behind: tuple[str, ...] = ("_key",)  # attributes that do not go along to another process

    def __init__(
        self,
        *,
        url: str = "",
        stream: StreamOption = False,
        return_trace: bool = False,
        init_prompt: bool = True,
        security_key: str | None = None,
        name: str = "",
    ) -> None:
        super().__init__(return_trace=return_trace, name=name)
        self._stream = check_stream(stream)
        self._formatter: Formatter | None = None
        self._key = address.secret(security_key)
        self._serving = Serving()
        self._known = False
        if url:
            self.attach(url)

    @property
    def name(self) -> str:
        """What people see: the name that was given, else the server's."""
        endpoint = self._serving.endpoint if "_serving" in vars(self) else None
        return self._name or (endpoint.model if endpoint is not None else "") or type(self).__name__

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    # ---- where it answers

    @property
    def endpoint(self) -> Endpoint:
        """Where it answers. Raises `NotStarted` where there is no address yet."""
        endpoint = self._serving.endpoint
        if endpoint is None:
            raise NotStarted(f"{self.name} has no address yet.", "It was asked before it was started.", "Type start() on it first.")
        return endpoint

    @property
    def url(self) -> str:
        """The address that is called."""
        return self.endpoint.url

    @property
    def _url(self) -> str:
        return self.url

    @property
    def status(self) -> str:
        """``idle``, or the state of the deployment; ``running`` is: it answers."""
        record = self._serving.record
        return str(record.state) if record is not None else "running" if self._serving.endpoint is not None else "idle"

    @property
    def state(self) -> str:
        """The same as `status`."""
        return self.status

    def attach(self, job: Job | str) -> Self:
        """Answer through a server that runs already, given by its job, its id or name, or its URL.

        Raises
        ------
        ArgumentError
            For what is no URL, and no name or id of a server either.
        """
        found = address.find(job if isinstance(job, str) else job.id, self._key)
        self._serving.attach(found.endpoint)
        self._known = found.known
        return self

    def _asked(self) -> Endpoint:
        """The endpoint, after what is behind it has been found out once."""
        endpoint = self.endpoint
        if self._known:
            return endpoint
        from ...runtime.deployments import service

        if service.ask_is_ours(endpoint):
            endpoint = replace(endpoint, url=service.base(endpoint.url) + "/generate", dialect=service.FUNCTION)
        self._serving.endpoint, self._known = endpoint, True
        return endpoint

    # ---- calling

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call what is behind the address.

        Returns
        -------
        object
            What the function returned; of a generator its pieces, joined when all are texts.

        Raises
        ------
        ArgumentError
            For an argument that cannot travel as JSON.
        NotStarted
            Before `start`.
        EndpointError
            When the request fails.
        Exception
            What the function raised: the same builtin or workbench error, else `ServerError`.
        """
        option, endpoint = self._stream, self._asked()
        feed = self._open(endpoint, self._request(endpoint, args, kwargs, bool(option) or self._is_root))
        with Outlet(self, self.name, option, feed) as outlet:
            if outlet.put is not None:
                for piece in feed:
                    if isinstance(piece, str):
                        outlet.put(piece)  # type: ignore[arg-type]  # a text from a feed is a piece
            result = feed.join()
        return result if self._formatter is None else self._formatter(result)

    async def aforward(self, *args: Any, **kwargs: Any) -> Any:
        """`forward` without blocking the event loop; ``await m.acall(…)`` comes here."""
        option, endpoint = self._stream, self.endpoint if self._known else await in_thread(self._asked)
        feed = self._open(endpoint, self._request(endpoint, args, kwargs, bool(option) or self._is_root))
        with Outlet(self, self.name, option, feed) as outlet:
            try:
                if outlet.put is not None:
                    async for piece in feed:
                        if isinstance(piece, str):
                            outlet.put(piece)  # type: ignore[arg-type]
                result = await feed.ajoin()
            except asyncio.CancelledError:
                feed.close()
                raise
        return result if self._formatter is None else self._formatter(result)

    @property
    def stream(self) -> Switch:
        """What it was told about streaming; called with what a call takes, it opens a `Feed` of one answer."""
        return Switch(self, self._stream)

    @stream.setter
    def stream(self, option: StreamOption | StreamSwitch) -> None:
        self._stream = check_stream(option.option if isinstance(option, StreamSwitch) else option)

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of the served object by its name."""
        endpoint = self._asked()
        return self._open(endpoint, self._method(endpoint, method, args, kwargs)).join()

    async def acall_method(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """`call` without blocking the event loop."""
        endpoint = await in_thread(self._asked)
        return await self._open(endpoint, self._method(endpoint, method, args, kwargs)).ajoin()

    def _call(self, fname: str, *args: Any, **kwargs: Any) -> Any:
        return self.call(fname, *args, **kwargs)

    @property
    def _is_root(self) -> bool:
        from ..streaming.context import listener

        heard = listener.get()
        return heard is not None and heard.root is self

    def _open(self, endpoint: Endpoint, request: Request) -> Feed:
        from ...runtime.deployments.service import Feed

        inside = usage.running.get()  # what models take in the server counts for the calls that this one is part of
        feed = Feed(endpoint, request, on_usage=lambda taken: usage.count(taken, self, inside))
        feed.explain = self._explained
        return feed

    def _request(self, endpoint: Endpoint, args: tuple[Any, ...], kwargs: Mapping[str, Any], stream: bool) -> Request:
        from ...runtime.deployments.service import FUNCTION, Request

        if endpoint.dialect == FUNCTION:
            talk = sessions.current.get()
            return Request(url_body.call(args, kwargs), stream=stream, session=talk.id if talk is not None else "")
        return Request(url_body.plain(args, kwargs), stream=stream)

    def _method(self, endpoint: Endpoint, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Request:
        from ...runtime.deployments.service import FUNCTION, Request

        if endpoint.dialect != FUNCTION:
            fix = "Call the module itself, or give a UrlModule the method's own address."
            raise ArgumentError(f"{self.name} has no methods to call by name.", "Only a ServerModule's server has.", fix)
        if not method.isidentifier():
            raise ArgumentError(f"{method!r} is no method's name.", "", "Write call('name', …).")
        talk = sessions.current.get()
        return Request(url_body.call(args, kwargs), f"/call/{method}", session=talk.id if talk is not None else "")

    def _explained(self, error: EndpointError) -> EndpointError:
        """A better error for a request that failed; one that the function raised itself names no source, and is told as it is."""
        return self._serving.explained(error, self.name) if error.source else error

    # ---- building

    def formatter(self, formatter: Formatter | None = None) -> Self:
        """Set what is made of every result: any callable; None gives the result itself."""
        if formatter is not None and not callable(formatter):
            raise ArgumentError(f"A formatter cannot be a {type(formatter).__name__}.", "", "Give a callable that takes the result.")
        self._formatter = formatter
        return self

    def share(self, format: Formatter | None = None, stream: StreamOption | None = None) -> Self:
        """Another face of the same server: its own formatter and stream option. Nothing new is started."""
        other = copy.copy(self)
        fresh = ModuleBase.__new__(type(self))
        for name in ("module_id", "eval_result", "usage", "last_usage", "_evaluation", "_usage_in"):
            vars(other)[name] = vars(fresh)[name]
        if format is not None:
            other.formatter(format)
        if stream is not None:
            other.stream = stream
        return other

    def __or__(self, formatter: Callable[[Any], Any]) -> Self:
        if not callable(formatter):
            return NotImplemented
        return self.share(format=chain(self._formatter, formatter))

    # ---- its life

    def _undeploy(self) -> None:
        self._serving.stop()

    def _again(self, deployment: Deployment) -> None:
        """A server of this machine that has ended is started as it was: there is nothing here to make it of."""
        self.attach(deployment.restart())

    def wait(self) -> None:
        """Wait until fine-tunings inside have ended, and then until the server has; Ctrl-C leaves it running."""
        from ...runtime.work import jobs

        super().wait()
        if self._serving.shown_id:
            jobs.wait(self._serving.shown_id)

    def __repr__(self) -> str:
        url = self._serving.endpoint.url if self._serving.endpoint is not None else ""
        return f"<Module type=Url name={self.name} url={url} stream={self._stream} return_trace={self.return_trace}>"
