"""The types of models: what people call one of each, and how it is asked. Knows no model and no engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of model.

    Attributes
    ----------
    noun : str
        What it is, with its article: ``an embedding model``.
    gives : str
        What a call gives.
    call : str
        A call, as one types it.
    """

    noun: str
    gives: str
    call: str


KINDS: dict[str, Kind] = {
    "llm": Kind("a chat model", "a text", "m('Hello!')"),
    "vlm": Kind("a chat model that sees pictures", "a text", "m('What is this?', files=['picture.png'])"),
    "embed": Kind("an embedding model", "vectors", "m(['a text', 'another'])"),
    "cross_modal_embed": Kind("an embedding model for texts and pictures", "vectors", "m(['a text', {'image': 'picture.png'}])"),
    "rerank": Kind("a reranker", "the order of documents", "m('query', documents=['a text', 'another'], top_n=1)"),
    "stt": Kind("a model that writes down speech", "a text", "m('speech.wav')"),
    "tts": Kind("a model that speaks", "a sound", "m('Good morning!')"),
    "sd": Kind("a model that draws", "pictures", "m('a cat')"),
    "image_editing": Kind("a model that changes pictures", "pictures", "m('make it blue', files=['picture.png'])"),
}
CHATS = frozenset({"llm", "vlm"})
_UNSERVED = {"classify": "a classifier", "text2video": "a model that makes videos", "text2audio": "a model that makes sounds"}


def call_of(type: str) -> str:
    """A call of a model that does not chat, as one types it; empty for one that does, or whose type nobody knows."""
    return KINDS[type].call if type in KINDS and type not in CHATS else ""


def noun(type: str) -> str:
    """What people call a model of the type, with its article."""
    return KINDS[type].noun if type in KINDS else _UNSERVED.get(type, f"a model of type {type!r}")
