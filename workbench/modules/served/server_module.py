"""`ServerModule`: any callable, flow or module as an HTTP service, in a supervised process of its own. Ties the parts together:
`carry` (how it gets there), `serving` (the deployment), `url_module` (how it is called).
"""

from __future__ import annotations

import os
import socket
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.jobs import JobSpec
from ...core.specs import FunctionSpec
from ...errors import ArgumentError, NotStarted
from ..base import ModuleBase
from ..local.serving import Serving
from ..streaming.printing import StreamOption
from .url_module import UrlModule

if TYPE_CHECKING:
    from ...runtime.deployments.deployment import Deployment

PICKLE, SOURCES, KEY = "function.pickle", "sources.json", "security_key"
_LAUNCHERS = ("local", "empty", "remote")


class ServerModule(UrlModule):
    """Serves a callable over HTTP, and calls it there.

    It runs in a process of its own, which other notebooks and programs can call too, and which lives on when this one ends.
    ``start`` brings it up, and again with the function as it is now when that has changed; ``stop`` ends it. It listens on
    127.0.0.1 and wants a key, which lies in a file that only you can read.

    Parameters
    ----------
    m : callable, flow, module or str
        What is served. Models inside are called where they are deployed; those that are not are deployed by ``start``, too.
        A URL, name or id instead answers through a server that runs already.
    pre, post : callable, optional
        Run in the server before and after ``m``. ``pre`` is called with the input (a dict whose keys are its parameters is spread)
        and returns the input of ``m``. ``post`` is called with the output; with output and input when it has two parameters; with
        the output, and the input by name, when it has a keyword-only one.
    stream : bool or dict, optional
        Ask for the answer in pieces, and print them as they come; as in `UrlModule`.
    return_trace : bool, optional
        As in `ModuleBase`.
    port : int, optional
        Where to listen; any free port when not given.
    pythonpath : str, optional
        Folders in which the server looks for modules first.
    launcher : optional
        For those who name it: servers run on this machine.
    url : str, optional
        A server that runs already.
    num_replicas : int, optional
        One.
    security_key : str, optional
        A key that the server accepts besides its own, for callers elsewhere.
    host : str, optional
        Another address to listen on, such as ``0.0.0.0`` for callers from other machines.
    python : str, optional
        Another interpreter of the same Python version to run it.
    name : str, optional
        What people see; the function's name when not given.

    Raises
    ------
    ArgumentError
        For arguments that exclude each other, and at ``start`` for what cannot be carried to another process.

    Examples
    --------
    >>> def demo(input): return input * 2
    >>> s = wb.ServerModule(demo).start()
    >>> s(1)
    2
    >>> wb.UrlModule(url=s.url)('ab')
    'abab'
    """

    stays_behind = ("_m", "_pre", "_post", "_key")  # one that is carried is called where it runs

    def __init__(
        self,
        m: Callable[..., Any] | str | None = None,
        pre: Callable[..., Any] | None = None,
        post: Callable[..., Any] | None = None,
        stream: StreamOption = False,
        return_trace: bool = False,
        port: int | None = None,
        pythonpath: str | None = None,
        launcher: Any = None,
        url: str | None = None,
        num_replicas: int = 1,
        security_key: str | None = None,
        *,
        host: str = "127.0.0.1",
        python: str | Path = "",
        name: str = "",
    ) -> None:
        if isinstance(m, str):
            if url is not None:
                raise ArgumentError("url should be None when m is a url.", "Two addresses were given.", "Leave one out.")
            url, m = m, None
        _check(m, pre, post, stream, return_trace, port, launcher, url, num_replicas)
        super().__init__(url=url or "", stream=stream, return_trace=return_trace, security_key=security_key, name=name)
        self._m, self._pre, self._post = m, pre, post
        self._port, self._host, self._python, self._pythonpath = port or 0, host, str(python), pythonpath or ""
        self._owner = uuid.uuid4().hex

    @property
    def name(self) -> str:
        """What people see: the name that was given, else the function's."""
        return self._name or _name(vars(self).get("_m")) or super().name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    # ---- deploying

    def _deploy(self) -> None:
        if self._m is None:
            if self._serving.endpoint is None:
                raise NotStarted(
                    f"{self.name} has nothing to serve.", "Neither a function nor an address was given.", "Write wb.ServerModule(function)."
                )
            return
        from ...runtime.work.front_end import StatusLine, describe

        began = time.monotonic()
        spec, files = self._spec()
        if self._serving.serves(spec):
            return
        if self._port:
            self._free_port()
        line = StatusLine()
        try:
            line.show(f"Starting {self.name}")
            self._serving.start(spec, lambda record: line.show(f"{self.name} · {describe(record.progress)}"), private=True, files=files)
        except BaseException:
            line.clear()
            raise
        self._known = True
        line.end(f"{self.name} is ready · {self.url} · {time.monotonic() - began:.1f} s")

    def _spec(self) -> tuple[JobSpec, Mapping[str, bytes]]:
        """The job that serves the function as it is now, after the modules inside that it needs are deployed."""
        import json

        from .carry import pack

        served = {"function": self._m, "pre": self._pre, "post": self._post}
        served = {k: v for k, v in served.items() if v is not None}
        parcel = pack(served, self.name)
        waiting = [m for m in parcel.modules if isinstance(serving := getattr(m, "_serving", None), Serving) and not serving.alive]
        if waiting:  # those that the function only mentions; what it holds was deployed before
            for module in waiting:
                module.start()
            parcel = pack(served, self.name)
        spec = FunctionSpec(
            model=self.name,
            function=parcel.digest,
            files=(PICKLE, SOURCES, *((KEY,) if self._key else ())),
            python_version="{}.{}".format(*sys.version_info),
            paths=_paths(bool(self._python)),
            folder=os.getcwd(),
            stream=bool(self._stream),
            host=self._host,
            port=self._port,
            python=self._python,
            pythonpath=self._pythonpath,
            arguments={k: v for k, v in {"pre": _name(self._pre), "post": _name(self._post), "stream": bool(self._stream)}.items() if v},
        )
        files = {PICKLE: parcel.data, SOURCES: json.dumps(dict(parcel.sources)).encode()}
        share_key = spec.share_key()
        if self._key:
            files[KEY] = str.encode(self._key)
            share_key += f"-{self._owner}"  # a key of its own is not shared with others who serve the same function
        return JobSpec("deploy", "function", self.name, spec.to_json(), share_key=share_key), files

    def _rechosen(self) -> bool:
        return self._m is not None and not self._serving.is_of(self._spec()[0])

    def _again(self, deployment: Deployment) -> None:
        if self._m is None:
            super()._again(deployment)
        else:
            ModuleBase.restart(self, recursive=False)

    def _free_port(self) -> None:
        """End our own server at the wanted port, which is to be replaced; refuse the port when somebody else has it."""
        endpoint = self._serving.endpoint
        if endpoint is not None and endpoint.url.endswith(f":{self._port}/generate"):
            self._serving.stop()
        with closing(socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET, socket.SOCK_STREAM)) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind((self._host, self._port))
            except OSError as e:
                raise ArgumentError(f"Port {self._port} cannot be used.", f"{self._host}: {e.strerror}", "Give another port=, or none.") from None

    def __repr__(self) -> str:
        url = self._serving.endpoint.url if self._serving.endpoint is not None else ""
        return f"<Module type=Server name={self.name} url={url} stream={self._stream} return_trace={self.return_trace}>"


def _paths(other_python: bool) -> tuple[str, ...]:
    """Where modules are found here; without what is installed here for an interpreter that has packages of its own."""
    from .carry import INSTALLED

    paths = dict.fromkeys(os.path.abspath(p or ".") for p in sys.path)
    return tuple(p for p in paths if not (other_python and p.startswith(INSTALLED)))


def _check(
    m: Any, pre: Any, post: Any, stream: StreamOption, return_trace: bool, port: Any, launcher: Any, url: str | None, num_replicas: int
) -> None:
    """Refuse arguments that exclude each other."""
    if stream and return_trace:
        raise ArgumentError("Module with stream output has no trace.", "stream= and return_trace= were both given.", "Leave one out.")
    if stream and post is not None:
        raise ArgumentError("Stream cannot be true when post-action exists.", "post= needs the whole output.", "Leave out stream= or post=.")
    if url and m is not None:
        raise ArgumentError("m should be None when url is provided.", "A function and an address were given.", "Leave one out.")
    if url and (pre is not None or post is not None):
        raise ArgumentError("pre= and post= run in a server that is started.", "This one runs already.", "Leave them out.")
    for what, value in (("m", m), ("pre", pre), ("post", post)):
        if value is not None and not callable(value):
            raise ArgumentError(
                f"{what}= cannot be a {type(value).__name__}.", "Only what can be called is served.", "Give a function, a flow or a module."
            )
    if num_replicas != 1:
        raise ArgumentError(
            f"num_replicas={num_replicas} is not possible.", "One process serves a function, a thread for each call.", "Leave it out."
        )
    if port is not None and not (isinstance(port, int) and not isinstance(port, bool) and 0 <= port <= 65535):
        raise ArgumentError(f"Port {port!r} is impossible.", "", "Give a port from 1024 to 65535, or leave it out for any free one.")
    named = (
        launcher if isinstance(launcher, str) else getattr(launcher, "name", None) or getattr(launcher, "__name__", None) or type(launcher).__name__
    )
    if launcher is not None and str(named).lower().removesuffix("launcher") not in _LAUNCHERS:
        raise ArgumentError(f"Servers do not run by {named}.", "They run on this machine.", "Leave launcher= out.")


def _name(function: Any) -> str:
    if function is None:
        return ""
    if isinstance(function, ModuleBase):
        return function.name
    inner = getattr(function, "func", function)  # of functools.partial
    name = str(getattr(inner, "__name__", "") or type(inner).__name__)
    return "function" if name == "<lambda>" else name
