"""Talk about the workbench: ``talk.json`` holds what may be asked and what is said, and this makes wordings of it.

``[a|b]`` in a wording means one of them; ``do`` and ``about`` are phrases that fit the frames of ``frames.json``. ``more``, ``example`` and
``then`` answer what may be asked next, and ``test`` holds wordings that training never shows. Knows nothing of models.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from .words import frames

DO, ABOUT, MORE, EXAMPLE, BEFORE = (frames(name) for name in ("do", "about", "more", "example", "before"))
NO_MORE = "That is all I know about it: I am a very small model."
NO_EXAMPLE = "I have no example for that."
_CHOICE = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Topic:
    """What may be asked about one thing, and the answers."""

    topic: str
    ask: tuple[str, ...]
    say: tuple[str, ...]
    do: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    more: str = NO_MORE
    example: str = NO_EXAMPLE
    then: tuple[tuple[str, str], ...] = ()
    test: tuple[str, ...] = ()


@cache
def topics() -> dict[str, Topic]:
    """All topics by name, as ``talk.json`` has them."""
    rows = json.loads(Path(__file__).with_name("talk.json").read_text(encoding="utf-8"))
    return {row["topic"]: Topic(**{k: _frozen(v) for k, v in row.items()}) for row in rows}


@cache
def kept_for_the_exam() -> frozenset[str]:
    return frozenset(_plain(w) for t in topics().values() for w in t.test)


def expand(r: Random, text: str) -> str:
    """The text with one choice taken in every ``[a|b]``."""
    done = _CHOICE.sub(lambda m: r.choice(m[1].split("|")), text)
    return re.sub(r" ([?.!,])|\s+(?= )|\s+$", r"\1", done)


def wording(r: Random, topic: Topic) -> str:
    """One way to ask about a topic; never one that is kept for the examination."""
    phrases = [(DO, p) for p in topic.do] + [(ABOUT, p) for p in topic.about]
    while True:
        if phrases and r.random() < 0.5:
            frames, phrase = r.choice(phrases)
            question = r.choice(frames).format(x=expand(r, phrase))
        else:
            question = expand(r, r.choice(topic.ask))
        question = hurried(r, question[0].upper() + question[1:])
        if _plain(question) not in kept_for_the_exam():
            return question


def hurried(r: Random, question: str) -> str:
    """The same question as a person in a hurry types it."""
    if r.random() < 0.25:
        question = question[0].lower() + question[1:]
    if r.random() < 0.2:
        question = question.rstrip("?.!") or question
    if r.random() < 0.12:
        question = r.choice(BEFORE) + question
    if r.random() < 0.06:
        question += r.choice([" please", " Thanks.", " Thank you."])
    if r.random() < 0.08 and len(question) > 8:
        i = r.randrange(1, len(question) - 2)
        a, b = question[i], question[i + 1]
        question = question[:i] + r.choice([b, b + a, a + a + b]) + question[i + 2 :]
    return question


def exchange(r: Random) -> list[tuple[str, str]]:
    """One question and its answer."""
    topic = r.choice(list(topics().values()))
    return [(wording(r, topic), r.choice(topic.say))]


def follow_up(r: Random) -> list[tuple[str, str]]:
    """A question and one or two that only make sense after it."""
    topic = r.choice([t for t in topics().values() if t.then or t.more != NO_MORE or t.example != NO_EXAMPLE or r.random() < 0.2])
    turns = [(wording(r, topic), r.choice(topic.say))]
    for _ in range(r.choice([1, 1, 2])):
        kind = r.random()
        if topic.then and kind < 0.5:
            question, name = r.choice(topic.then)
            topic = topics()[name]
            turns.append((hurried(r, expand(r, question)), r.choice(topic.say)))
        elif kind < 0.75:
            turns.append((hurried(r, r.choice(EXAMPLE)), topic.example))
        else:
            turns.append((hurried(r, r.choice(MORE)), topic.more))
    return turns


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9 ]", "", text.lower()).strip()
