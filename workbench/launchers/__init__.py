"""Where a command runs. Each launcher is a `workbench.core.protocols.Launcher`, registered in the group ``launcher``.

``launchers.empty()`` and ``launchers.remote()`` are what people write as ``launcher=``: a choice by name, which runs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import registry
from ..errors import nearest

__all__ = ["Choice", "empty", "remote"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A launcher that was chosen. ``ngpus`` None takes what is there; ``sync`` is for the caller to wait or not."""

    name: str
    ngpus: int | None = None
    sync: bool = True


def empty(subprocess: bool = False, ngpus: int | None = None, sync: bool = True) -> Choice:
    """This machine. Everything runs in a process of its own, so ``subprocess`` changes nothing."""
    return Choice("local", ngpus, sync)


def remote(*, sync: bool = False, ngpus: int | None = 1, **where: Any) -> Choice:
    """Wherever the setting ``default_launcher`` says; this machine unless it was changed."""
    from ..settings import settings

    return Choice(settings().default_launcher, ngpus, sync)


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    known = sorted({*__all__, *registry.names("launcher")} - {"Choice"})
    near = nearest(name, known)
    also = f" {near!r} is the nearest name." if near else ""
    raise AttributeError(f"workbench.launchers has no {name!r}: this version runs jobs on this machine.{also} It has {', '.join(known)}.")
