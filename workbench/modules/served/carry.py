"""Carrying a function, flow or module to another process of the same Python: as a pickle in a file, never over a socket.

Beside what cloudpickle does: locks are made afresh, a deployment is carried by its endpoint and not started again, what a module
has measured and its data sets stay behind, and a module file that could not be imported there goes along by value. The same
function gives the same digest in every notebook, and another one when its code, its values or its own files change.
Does not know what happens to it there.
"""

from __future__ import annotations

import contextlib
import copyreg
import hashlib
import io
import linecache
import os
import sys
import sysconfig
import threading
import types
import typing
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import cloudpickle
from cloudpickle import cloudpickle as _cloudpickle

from ...core.endpoints import Endpoint
from ...errors import ArgumentError
from ..base import ModuleBase
from ..local.serving import Serving
from .fastapi_app import MARK

_NEW = frozenset({"module_id", "usage", "last_usage", "eval_result", "_evalset", "_evaluation", "_usage_in"})  # every module gets its own
_EMPTY = frozenset({"_trainset", "_validset", "_shown_in"})
_FRESH = {
    type(threading.Lock()): threading.Lock,
    type(threading.RLock()): threading.RLock,
    threading.local: threading.local,
    SimpleQueue: SimpleQueue,
}
INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_OURS = str(Path(__file__).resolve().parents[2])


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is carried.

    Attributes
    ----------
    data : bytes
        The pickle.
    digest : str
        The same for the same function.
    sources : Mapping of str to str
        Code that lies in no file, such as cells, by the name its tracebacks give.
    modules : tuple of ModuleBase
        The modules that were met.
    """

    data: bytes
    digest: str
    sources: Mapping[str, str]
    modules: tuple[ModuleBase, ...]


def pack(values: Mapping[str, Any], name: str) -> Parcel:
    """Pickle some values together.

    Parameters
    ----------
    values : Mapping
        ``function``, ``pre``, ``post``.
    name : str
        What the user calls the function, for the error.

    Raises
    ------
    ArgumentError
        For what cannot be carried; the message names the attribute or variable.
    """
    try:
        return _pack(dict(values))
    except ArgumentError:
        raise
    except Exception as e:
        from .uncarried import culprit, fails

        shown, value = next(((k, v) for k, v in values.items() if fails(v, _pack)), (name, values))
        place, kind, why = culprit(value, name if shown == "function" else shown, _pack, e)
        raise ArgumentError(
            f"{name} cannot be carried to a process of its own: {place} is of type {kind}.",
            why,
            "Make that inside the function when it is called, or give the object a __getstate__ that leaves it out.",
        ) from None


def _pack(value: Any) -> Parcel:
    buffer = io.BytesIO()
    packer = _Packer(buffer)
    try:
        packer.dump(value)
    finally:
        packer.forget()
    data = buffer.getvalue()
    return Parcel(data, _digest(packer, data), packer.sources, tuple(packer.met.values()))


def _digest(packer: _Packer, data: bytes) -> str:
    # cloudpickle knows a notebook's class again by a random name, and a flow has a random id: another one in every process
    random = {name.encode() for name in [*_cloudpickle._DYNAMIC_CLASS_TRACKER_BY_CLASS.values(), *packer.flow_ids]}
    places = sorted((at, mark) for mark in random if (at := data.find(mark)) >= 0)
    for i, (_, mark) in enumerate(places):
        data = data.replace(mark, b"%0*d" % (len(mark), i))
    return hashlib.sha256(data + repr(sorted(packer.files.items())).encode()).hexdigest()


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle ships no types
    """cloudpickle, with the exceptions that the module's docstring names."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.sources: dict[str, str] = {}
        self.files: dict[str, tuple[int, int]] = {}
        self.met: dict[int, ModuleBase] = {}
        self.flow_ids: set[str] = set()
        self._by_value: list[types.ModuleType] = []
        self._seen: set[str] = set()

    def forget(self) -> None:
        """Undo what cloudpickle was told about modules."""
        for module in self._by_value:
            cloudpickle.unregister_pickle_by_value(module)

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if kind is types.CodeType:
            return _cloudpickle._code_reduce(self._placeless(obj))
        if kind in _FRESH:
            return _FRESH[kind], ()
        if kind is Serving:
            _check_key(obj.endpoint)
            return _serving, (obj.endpoint.to_json() if obj.endpoint is not None else None, obj.job_id, obj.kind)
        if kind is Endpoint:
            _check_key(obj)
        if isinstance(obj, ModuleBase):
            self.met[id(obj)] = obj
            if type(obj).__reduce_ex__ is object.__reduce_ex__ and type(obj).__reduce__ is object.__reduce__:
                return copyreg.__newobj__, (kind,), _state(obj)  # type: ignore[attr-defined]  # what object's own pickling uses
            return NotImplemented
        if kind.__module__.startswith("workbench.flows") and (flow_id := getattr(obj, "__dict__", {}).get("flow_id")):
            self.flow_ids.add(flow_id)
        if kind is types.FunctionType and hasattr(obj, MARK):
            _resolve_annotations(obj)
        if kind is types.FunctionType or isinstance(obj, type):
            self._note(getattr(obj, "__module__", None) or "")
        elif kind is types.ModuleType:
            self._note(obj.__name__)
        return super().reducer_override(obj)

    def _placeless(self, code: types.CodeType) -> types.CodeType:
        """Code of a cell is called by the cell's name, without the folder that is another one in every kernel."""
        name = code.co_filename
        if os.path.exists(name):
            return code
        short = os.path.basename(name)
        if lines := linecache.getlines(name):
            self.sources[short] = "".join(lines)
        return code.replace(co_filename=short)

    def _note(self, name: str) -> None:
        """Take a module of the user's along: by value where it could not be imported there, else by what its files are now."""
        if name in self._seen or name == "__main__" or name not in sys.modules:
            return
        self._seen.add(name)
        if not _users(name):
            return
        if importable(name):
            self.files = self.files or _stamps()  # what it imports counts as well, so all of the user's are looked at
        else:
            cloudpickle.register_pickle_by_value(sys.modules[name])
            self._by_value.append(sys.modules[name])


def _users(name: str) -> bool:
    """Whether a module is the user's own: no part of Python, of the workbench, or of what is installed."""
    file = getattr(sys.modules[name], "__file__", None) or ""
    standard = name.partition(".")[0] in sys.stdlib_module_names
    return bool(file) and not standard and not file.startswith(_OURS + os.sep) and not file.startswith(INSTALLED)


def _stamps() -> dict[str, tuple[int, int]]:
    """When the files of all loaded modules of the user's were changed, and how long they are."""
    found = {}
    for name in list(sys.modules):
        if _users(name):
            file = str(sys.modules[name].__file__)
            try:
                stat = os.stat(file)
            except OSError:
                continue
            found[file] = (stat.st_mtime_ns, stat.st_size)
    return found


def _resolve_annotations(function: types.FunctionType) -> None:
    """A route's annotations as types: names that only they use are not carried along."""
    with contextlib.suppress(Exception):  # one that names what is not there stays text
        function.__annotations__ = typing.get_type_hints(function, include_extras=True)


def importable(name: str) -> bool:
    """Whether another process with the same module path would find this module."""
    path: Any = None
    found = ""
    for part in name.split("."):
        found = f"{found}.{part}" if found else part
        finders = [f for finder in sys.meta_path if (f := getattr(finder, "find_spec", None)) is not None]
        try:
            spec = next((s for find in finders if (s := find(found, path)) is not None), None)
        except Exception:  # a finder of somebody else's
            spec = None
        if spec is None:
            return False
        path = spec.submodule_search_locations
    return True


def _state(module: ModuleBase) -> Any:
    """What a module is told there about itself: its wishes, not what it has measured."""
    state = module.__getstate__()
    if not isinstance(state, dict):
        return state
    empty = _EMPTY | frozenset(getattr(module, "stays_behind", ()))
    kept = {k: None if k in empty else v for k, v in state.items() if k not in _NEW}
    if isinstance(recent := kept.get("recent"), deque):
        kept["recent"] = deque[Any](maxlen=recent.maxlen)
    return kept


def _check_key(endpoint: Endpoint | None) -> None:
    if endpoint is not None and endpoint.key_ref.startswith("held:"):
        raise ArgumentError(
            f"The key of {endpoint.model or endpoint.url} cannot be carried to a server.",
            "It was given as an argument, and lives in this process only.",
            "Keep it in a variable, in .env or in the keyring, and make the module without it.",
        )


def _serving(endpoint: Mapping[str, Any] | None, job_id: str, kind: str = "") -> Serving:
    serving = Serving()
    if endpoint is not None:
        serving.endpoint, serving.job_id, serving.kind = Endpoint.from_json(endpoint), job_id, kind
    return serving
