"""From the word that a user wrote to a module: a variable, a running deployment, a model's name. Knows no magic."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from IPython.core.error import UsageError

from ..core.jobs import JobRecord, JobState
from ..core.kinds import CHATS, KINDS, noun
from ..errors import NotStarted
from ..modules.auto.auto_model import AutoModel
from ..modules.chat import ChatModule
from ..modules.local.trainable import TrainableModule
from ..modules.views import last_started
from ..runtime.work import jobs

DEFAULT = "pocket"


def find(word: str, variables: Mapping[str, Any], started: MutableMapping[str, ChatModule]) -> ChatModule:
    """The module that a word means, started.

    Parameters
    ----------
    word : str
        Empty for the module that was started last.
    variables : Mapping
        The user's.
    started : MutableMapping
        Modules made for words before; a new one is added.
    """
    if not word:
        last = last_started()
        if last is not None:
            return _running(last)
        word = DEFAULT
    if word in variables:
        value = variables[word]
        if not isinstance(value, ChatModule):
            raise UsageError(f"The variable {word!r} holds no module to talk to, but a {type(value).__name__}.")
        if not _chats(value):
            raise UsageError(f"The variable {word!r} holds {noun(value.type.lower())}, which does not chat.")  # type: ignore[attr-defined]  # it has one
        return _running(value)
    if word not in started or not _answers(started[word]):
        record = _deployment(word)
        started[word] = TrainableModule().attach(record.id) if record is not None else AutoModel(word).start()
    return started[word]


def candidates(variables: Mapping[str, Any]) -> list[str]:
    """Words that `find` understands now."""
    own = [name for name, value in variables.items() if isinstance(value, ChatModule) and _chats(value) and not name.startswith("_")]
    running = [r.name for r in jobs.store().jobs(kind="deploy", active=True) if _talks(r)]
    return sorted({*own, *running, DEFAULT})


def _running(module: ChatModule) -> ChatModule:
    """The module, started unless it answers already."""
    return module if _answers(module) else module.start()


def _answers(module: ChatModule) -> bool:
    try:
        module.endpoint  # noqa: B018  # asked only for whether there is one
    except NotStarted:
        return False
    return getattr(module, "state", "running") == "running"


def _deployment(word: str) -> JobRecord | None:
    for record in jobs.store().jobs(kind="deploy", active=True):
        if _talks(record) and (record.name == word or (len(word) >= 4 and record.id.startswith(word))):
            return record
    return None


def _talks(record: JobRecord) -> bool:
    """Whether a deployment is up and serves a chat model; a `ServerModule` serves a function."""
    return record.state is JobState.RUNNING and record.spec.backend != "function" and record.spec.payload.get("type", "llm") in CHATS


def _chats(module: ChatModule) -> bool:
    kind = str(getattr(module, "type", "")).lower()
    return kind not in KINDS or kind in CHATS
