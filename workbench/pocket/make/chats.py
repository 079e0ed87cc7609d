"""Whole practice chats: talk, skills and honest refusals, mixed. The one source of training and of the examination.

Knows nothing of tokens or weights; a chat is a list of ``{"role", "content"}``.
"""

from __future__ import annotations

from random import Random
from typing import Any

from . import talk
from .skills import EXACT_TEXT, SKILLS, any_skill, city, held_out, invented, person, practice
from .words import ANIMALS, COLORS, FOOD, JOBS, THINGS, frames

Turn = tuple[str, str]
REFUSAL = "I have not learned that: I am a very small model. Ask me about the workbench, or fine-tune me on examples."
DOUBT = "I learned it from practice questions, and I am a very small model: check my answer."
NO_NAME = "You have not told me your name."
SYSTEMS, UNKNOWN = frames("systems"), frames("unknown")
ELSEWHERE = (*THINGS, *FOOD, *ANIMALS, *JOBS, *COLORS)


def stranger(r: Random) -> str:
    """A word that has nothing to do with the workbench, or one that nobody knows."""
    return r.choice(ELSEWHERE) if r.random() < 0.75 else invented(r, 3, 8)


def refusal(r: Random, *, exam: bool = False) -> Turn:
    """Something it cannot do, and the answer that says so."""
    while True:
        x, w, j, k, h = stranger(r), stranger(r), r.randrange(100), r.randrange(100), r.randrange(21, 1000)
        question = r.choice(UNKNOWN).format(x=x, w=w, n=person(r), c=city(r), d=city(r), j=j, k=k, h=h)
        if held_out("refuse", question) == exam:
            return question, REFUSAL


def skill(r: Random) -> Turn:
    """One small job in a practice wording."""
    name = any_skill(r)
    item = practice(r, name)
    question = item.question
    if name not in EXACT_TEXT:
        if r.random() < 0.15:
            question = r.choice(["Please ", "Can you help? ", "Hi, ", "Hello! ", "Now: "]) + question[0].lower() + question[1:]
        elif r.random() < 0.1:
            question = question[0].lower() + question[1:]
    return question, item.answer


def turn(r: Random) -> Turn:
    """One question and answer of any kind."""
    kind = r.random()
    if kind < 0.36:
        return talk.exchange(r)[0]
    return refusal(r) if kind < 0.43 else skill(r)


def _names(r: Random) -> list[Turn]:
    name = person(r)
    told = r.choice(["My name is {n}", "I am {n}", "Call me {n}", "Hi, I am {n}", "Hello, my name is {n}."]).format(n=name)
    asked = r.choice(["What is my name?", "Who am I?", "Do you remember my name?", "What's my name?"])
    if r.random() < 0.2:
        return [(asked, NO_NAME)]
    between = [turn(r) for _ in range(r.choice([0, 0, 1]))]
    return [(told, f"Nice to meet you, {name}!"), *between, (asked, f"Your name is {name}.")]


def _doubts(r: Random) -> list[Turn]:
    return [skill(r), (r.choice(["Are you sure?", "Why?", "How do you know?", "Is that right?", "Really?"]), DOUBT)]


def turns(r: Random) -> list[Turn]:
    """The questions and answers of one chat."""
    kind = r.random()
    if kind < 0.83:
        return [turn(r)]
    if kind < 0.92:
        return talk.follow_up(r) + [turn(r) for _ in range(r.choice([0, 0, 0, 1]))]
    if kind < 0.94:
        return _names(r)
    if kind < 0.95:
        return _doubts(r)
    chat: list[Turn] = []
    for _ in range(r.choice([1, 1, 1, 2, 3])):
        chat += [turn(r), *talk.follow_up(r)] if r.random() < 0.3 else [turn(r), turn(r)]
    return chat


def chat(r: Random) -> list[dict[str, str]]:
    """One training chat as messages."""
    messages = [{"role": "system", "content": r.choice(SYSTEMS)}] if r.random() < 0.12 else []
    for question, answer in turns(r):
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return messages


def exam(seed: int = 7, each: int = 20) -> list[dict[str, Any]]:
    """Questions that training never shows: each skill, talk in kept-back wordings, refusals."""
    r = Random(seed)
    rows: list[dict[str, Any]] = []
    for name in SKILLS:
        found: dict[str, str] = {}
        for _ in range(each * 50):
            if len(found) < each:
                item = practice(r, name, exam=True)
                found.setdefault(item.question, item.answer)
        rows += [{"skill": name, "input": q, "output": a} for q, a in found.items()]
    for topic in talk.topics().values():
        rows += [{"skill": "talk", "input": q, "output": topic.say[0]} for q in topic.test]
    seen: set[str] = set()
    while len(seen) < each:
        question, answer = refusal(r, exam=True)
        if question not in seen:
            seen.add(question)
            rows.append({"skill": "refuse", "input": question, "output": answer})
    return rows
