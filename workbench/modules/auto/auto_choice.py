"""Which module `AutoModel` makes for a name, and why: the order of choice, every step of it noted. Makes nothing until asked."""

from __future__ import annotations

import os
import socket
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...errors import ArgumentError, AuthenticationFailed, DataError, ModelNotFound, WorkbenchError
from ...providers import catalog, model_names
from ...runtime.secrets import keys
from ..vendors import online_endpoint
from . import auto_config
from .auto_config import Entry

if TYPE_CHECKING:
    from ..base import ModuleBase

_SYNONYMS = ("base_model", "embed_model_name", "model_name")
_REACH = 3.0  # seconds; a server that does not take a connection in that time is not there
_ONLY_LOCAL = ("target_path", "trust_remote_code", "framework", "deploy_config", "strict", "task")


@dataclass(frozen=True, slots=True)
class Step:
    """One possibility: what it is, whether it was taken, and why or why not."""

    what: str
    taken: bool
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What `AutoModel` does for a name, and everything it looked at before, in order."""

    model: str
    steps: tuple[Step, ...]
    make: Callable[[], ModuleBase] | None = field(repr=False, compare=False, default=None)
    problem: WorkbenchError | None = None

    def __repr__(self) -> str:
        lines = [f"AutoModel({self.model!r})" if self.model else "AutoModel()"]
        lines += [f"  {'→' if s.taken else '·'} {s.what}: {'taken' if s.taken else 'skipped'}, {s.why}" for s in self.steps]
        return "\n".join([*lines, *([f"  ✗ {self.problem.what}"] if self.problem else [])])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr style="opacity:{1 if s.taken else 0.65}"><td>{"→" if s.taken else ""}</td><td style="text-align:left">{escape(s.what)}</td>'
            f'<td style="text-align:left">{"taken" if s.taken else "skipped"}: {escape(s.why)}</td></tr>'
            for s in self.steps
        )
        problem = f"<div>{escape(str(self.problem))}</div>" if self.problem else ""
        return f"<table><caption>AutoModel({escape(repr(self.model))})</caption>{rows}</table>{problem}"


class _Search:
    """One search: what was asked, and the steps so far."""

    def __init__(self, model: str, type: str, others: Mapping[str, Any]) -> None:
        self.model, self.type, self.others = model, type, dict(others)
        self.steps: list[Step] = []

    def skip(self, what: str, why: str) -> None:
        self.steps.append(Step(what, False, why))

    def take(self, what: str, why: str, make: Callable[[], ModuleBase]) -> Choice:
        return Choice(self.model, (*self.steps, Step(what, True, why)), make)

    def fail(self, problem: WorkbenchError) -> Choice:
        return Choice(self.model, tuple(self.steps), None, problem)


def choose(
    model: str | None,
    source: str | None,
    framework: str | None,
    config_id: str | None,
    type: str | None,
    config: bool | str | os.PathLike[str],
    others: Mapping[str, Any],
) -> Choice:
    """The choice for the arguments of `AutoModel`.

    Raises
    ------
    ArgumentError, DataError, ModelNotFound
        For arguments that contradict each other, a faulty config map, a strict entry whose server does not answer.
    """
    rest = dict(others)
    synonyms = [rest.pop(name) for name in _SYNONYMS if name in rest]
    name = model or next((str(s) for s in synonyms if s), "")
    if name and catalog.find(name) is not None:
        if source is not None and catalog.find(source) is not catalog.find(name):
            raise ArgumentError(f"{name!r} is a source's name, and source={source!r} another's.", "", f"Write AutoModel(source={name!r}).")
        name, source = "", name
    search = _Search(name, type or "", rest)
    if (source or "").lower() == "local" or framework:
        why = f"framework={framework!r} serves on this machine" if framework else "source='local' was given"
        return search.take("a model on this machine", why, lambda: _local(search, {"framework": framework} if framework else {}))
    found = _from_map(search, source or "", config_id or "", config) if name else None
    if found is not None:
        return found
    if source:
        return search.take(f"the vendor {source!r}", "source= was given", lambda: _online(search, name, {"source": source}))
    if not name:
        return _without_model(search)
    if name == "pocket" or os.path.exists(os.path.expanduser(name)):
        why = "it is the model that ships with the workbench" if name == "pocket" else "the path is there"
        return search.take("a model on this machine", why, lambda: _local(search, {}))
    return _by_key(search)


def _from_map(search: _Search, source: str, config_id: str, config: bool | str | os.PathLike[str]) -> Choice | None:
    path = auto_config.path_of(config)
    if path is None:
        search.skip("the config map", "config=False" if config is False else f"no {auto_config.VARIABLES[0]} is set")
        return None
    listed = auto_config.entries(path).get(search.model, [])
    if config_id and not any(e.id == config_id for e in listed):
        known = ", ".join(e.id for e in listed if e.id)
        raise ArgumentError(f"{path} has no entry {config_id!r} for {search.model!r}.", "", f"Its ids are: {known}." if known else "It has no ids.")
    if not listed:
        search.skip("the config map", f"{path} does not list {search.model!r}")
        return None
    local = _preferred([e for e in listed if e.local], source, config_id)
    online = _preferred([e for e in listed if not e.local and (not source or _same(e.source, source))], source, config_id)
    if config_id:
        local, online = (local, None) if local is not None and local.id == config_id else (None, online)
    if local is not None:
        what = f"the config map's entry for this machine ({local.place})"
        why_not = _unusable(local) if local.url or online is not None else ""
        if not why_not or (online is None and not local.url):
            why = f"{local.url} answers" if local.url else "the entry says how to serve it"
            return search.take(what, why, _placed(local, lambda: _local(search, local.facts)))
        if local.facts.get("strict"):
            raise ModelNotFound(f"{local.place}: {why_not}.", "The entry is strict, so nothing else is tried.", "Start the server, or change url.")
        search.skip(what, why_not)
    if online is not None:
        what = f"the config map's entry for a vendor ({online.place})"
        facts = {**online.facts, **({"source": source} if source else {})}
        name = str(online.facts.get("name") or search.model)
        return search.take(what, "it lists the model", _placed(online, lambda: _online(search, name, facts)))
    if local is None:
        search.skip("the config map", f"{path} lists {search.model!r}, but not for source={source!r}")
    return None


def _placed(entry: Entry, make: Callable[[], ModuleBase]) -> Callable[[], ModuleBase]:
    """The same, with file and line in the error about an argument that the entry has wrong."""

    def made() -> ModuleBase:
        try:
            return make()
        except ArgumentError as e:
            raise DataError(f"{entry.place}: {e.what}", e.cause, e.fix) from None

    return made


def _preferred(entries: list[Entry], source: str, config_id: str) -> Entry | None:
    """By id, then by source, then the first."""
    by_id = next((e for e in entries if config_id and e.id == config_id), None)
    by_source = next((e for e in entries if source and _same(e.source, source)), None)
    return by_id or by_source or (entries[0] if entries else None)


def _same(one: str, other: str) -> bool:
    """Whether two names are the same source."""
    return one.lower() in ("", other.lower()) or (catalog.find(one) is not None and catalog.find(one) is catalog.find(other))


def _unusable(entry: Entry) -> str:
    if not entry.url:
        return "it names no server, and the map has a vendor's entry too"
    parts = urlsplit(entry.url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=_REACH).close()
    except (OSError, ValueError) as e:
        return f"nobody answers at {parts.hostname}:{parts.port or ''} ({getattr(e, 'strerror', None) or e})"
    return ""


def _without_model(search: _Search) -> Choice:
    type_ = model_names.canonical(search.type or "llm")
    _, variable, default = keys.default_source()
    found = default or next((p.name for p in online_endpoint.configured(type_)), "")
    if found:
        why = f"{variable} names it" if default else "it is the first source whose key is there"
        return search.take(f"the vendor {found!r}", why, lambda: _online(search, "", {"source": found}))
    search.skip("a vendor", "no source's key is there")
    return search.fail(
        AuthenticationFailed(
            "`model` is not provided in AutoModel, and no api_key is configured for any source.",
            "Without a model, the first source with a key is taken.",
            "Write AutoModel('pocket') for the model that ships, or run `workbench keys set <source>`.",
        )
    )


def _by_key(search: _Search) -> Choice:
    source, model = online_endpoint.split("", search.model)
    type_ = model_names.canonical(search.type or model_names.type_of(model) or "llm")
    told, lost = source or model_names.source_of(model), ""
    if source:
        return search.take(f"the vendor {source!r}", "the name says so", lambda: _online(search, model, {"source": source}))
    if search.others.get("url") or search.others.get("api_key"):
        return search.take("an online model", "url= or api_key= was given", lambda: _online(search, model, {"source": told or None}))
    if told:
        vendor = catalog.provider(told)
        what = f"the vendor {told!r}"
        if keys.has_key(vendor, type_):
            return search.take(what, "the name tells it, and its key is there", lambda: _online(search, model, {"source": told}))
        lost = f"{keys.variable_to_set(vendor)} is not set"
        search.skip(what, f"the name tells it, but {lost}")
    else:
        search.skip("a vendor", "no vendor's names begin like this one")
    _, variable, default = keys.default_source()
    if default and keys.has_key(catalog.provider(default), type_):
        return search.take(f"the vendor {default!r}", f"{variable} names it", lambda: _online(search, model, {"source": default}))
    search.skip("the default source", "its key is not there" if default else "none is set")
    return search.take("a model on this machine", "nothing else was left", lambda: _last_resort(search, lost))


def _last_resort(search: _Search, lost: str) -> ModuleBase:
    if lost:
        warnings.warn(f"AutoModel takes {search.model!r} for a model on this machine, because {lost}. AutoModel.explain tells more.", stacklevel=4)
    return _local(search, {})


def _online(search: _Search, model: str, facts: Mapping[str, Any]) -> ModuleBase:
    from ..vendors.online import OnlineModule

    given = {k: v for k, v in facts.items() if k not in (*_ONLY_LOCAL, "name")}
    given["type"] = search.type or facts.get("type") or facts.get("task")
    given.update(search.others)
    made: ModuleBase = OnlineModule(model or None, **given)
    return made


def _local(search: _Search, facts: Mapping[str, Any]) -> ModuleBase:
    from ..local.trainable import TrainableModule

    name = str(facts.get("name") or search.model or "pocket")
    own = ("stream", "target_path", "return_trace", "trust_remote_code")
    given: dict[str, Any] = {k: facts[k] for k in own if k in facts}
    given["type"] = search.type or facts.get("type") or facts.get("task")
    module = TrainableModule(name, **{**given, **search.others})
    framework, arguments = facts.get("framework"), dict(facts.get("deploy_config") or {})
    if facts.get("url"):
        arguments = {"url": facts["url"]}
    if framework or arguments:
        from ... import deploy

        module.deploy_method(str(framework) if framework else deploy.auto, **arguments)
    return module
