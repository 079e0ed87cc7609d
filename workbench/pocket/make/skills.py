"""The small jobs that the model learns: each a function of a random generator that makes one question, answer and key.

The key names what the question is about, apart from its wording; `held_out` keeps one key in eight away from training,
so that an examination asks what was never shown. Skills in `CLOSED` have so few inputs that all are shown.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from .words import ANIMALS, CAPITALS, CITIES, COLORS, DAYS, FOOD, JOBS, MONTHS, NAMES, ONES, OPPOSITES, TENS, WORDS


class Item(NamedTuple):
    """One question with its one right answer."""

    question: str
    answer: str
    key: str


Skill = Callable[[Random], Item]


def invented(r: Random, low: int = 3, high: int = 6) -> str:
    """A word that nobody knows, so that copying cannot be learned by heart."""
    word = ""
    while len(word) < low:
        word += r.choice("bcdfghjklmnprstvwz") + r.choice("aeiou") + (r.choice("lnrstmk") if r.random() < 0.4 else "")
    return word[:high]


def word(r: Random) -> str:
    return r.choice(WORDS) if r.random() < 0.85 else invented(r)


def person(r: Random) -> str:
    return r.choice(NAMES) if r.random() < 0.85 else invented(r, 3, 7).capitalize()


def city(r: Random) -> str:
    return r.choice(CITIES) if r.random() < 0.85 else invented(r, 4, 7).capitalize()


def in_words(n: int) -> str:
    """``42`` → ``forty-two``; below a hundred."""
    return ONES[n] if n < 20 else TENS[n // 10 - 2] + ("-" + ONES[n % 10] if n % 10 else "")


def number(r: Random) -> int:
    """Below a hundred; the irregular ones come as often as all others."""
    return r.randrange(21) if r.random() < 0.5 else r.randrange(100)


def add(r: Random) -> Item:
    a, b = r.randint(0, 20), r.randint(0, 20)
    frames = ["What is {a} + {b}?", "What is {a} plus {b}?", "Add {a} and {b}", "{a} + {b}", "Compute {a} + {b}", "How much is {a} plus {b}?"]
    return Item(r.choice([*frames, "{a}+{b}=?", "{a}+{b}"]).format(a=a, b=b), str(a + b), f"{a}+{b}")


def day(r: Random) -> Item:
    i, step = r.randrange(7), r.choice([1, -1])
    frames = ["Which day comes {k} {d}?", "What day is {k} {d}?", "What comes {k} {d}?", "Which day is {k} {d}?", "Name the day {k} {d}"]
    return Item(r.choice(frames).format(k="after" if step > 0 else "before", d=DAYS[i]), DAYS[(i + step) % 7], f"{i}{step}")


def month(r: Random) -> Item:
    i, step = r.randrange(12), r.choice([1, -1])
    frames = ["Which month comes {k} {d}?", "What month is {k} {d}?", "What comes {k} {d}?", "Which month is {k} {d}?", "Name the month {k} {d}"]
    return Item(r.choice(frames).format(k="after" if step > 0 else "before", d=MONTHS[i]), MONTHS[(i + step) % 12], f"{i}{step}")


def digits(r: Random) -> Item:
    n = number(r)
    frames = ["Write {w} as a number", "Write {w} in digits", "Turn {w} into digits", "{w} in digits", "Which number is {w}?"]
    return Item(r.choice(frames).format(w=in_words(n)), str(n), str(n))


def number_words(r: Random) -> Item:
    n = number(r)
    frames = ["Write {n} in words", "Write {n} as words", "{n} in words", "Write the number {n} in words"]
    return Item(r.choice(frames).format(n=n), in_words(n), str(n))


def sort_words(r: Random) -> Item:
    known, size = sorted(set(WORDS)), r.choice([2, 3, 3, 3, 4])
    pool = r.sample(known, size)
    while len({w[0] for w in pool}) < size:
        pool = r.sample(known, size)
    frames = ["Sort: {t}", "Sort these words: {t}", "Put in alphabetical order: {t}", "Sort by alphabet: {t}"]
    return Item(r.choice(frames).format(t=", ".join(pool)), ", ".join(sorted(pool)), " ".join(pool))


def capital(r: Random) -> Item:
    c = r.choice(sorted(CAPITALS))
    frames = ["What is the capital of {c}?", "Capital of {c}?", "Name the capital of {c}", "Which city is the capital of {c}?"]
    return Item(r.choice(frames).format(c=c), CAPITALS[c], c)


def opposite(r: Random) -> Item:
    c = r.choice(sorted(OPPOSITES))
    frames = ["What is the opposite of {c}?", "Opposite of {c}?", "Give the opposite of {c}", "What is the contrary of {c}?"]
    return Item(r.choice(frames).format(c=c), OPPOSITES[c], c)


class Field(NamedTuple):
    """One thing that can be said of a person."""

    value: Callable[[Random], str]
    says: tuple[str, ...]
    asks: tuple[str, ...]


FIELDS = {
    "city": Field(
        city, ("lives in {v}", "is from {v}", "has a flat in {v}"), ("Where does {n} live?", "In which city does {n} live?", "Where is {n} from?")
    ),
    "age": Field(lambda r: str(r.randint(5, 95)), ("is {v} years old", "is {v}"), ("How old is {n}?", "What is the age of {n}?")),
    "job": Field(
        lambda r: r.choice(JOBS), ("is a {v}", "works as a {v}"), ("What does {n} do?", "What is the job of {n}?", "What is the work of {n}?")
    ),
    "pet": Field(lambda r: r.choice(ANIMALS), ("has a {v}", "owns a {v}"), ("Which pet does {n} have?", "What animal does {n} have?")),
    "food": Field(lambda r: r.choice(FOOD), ("likes {v}", "loves {v}"), ("What does {n} like?", "What does {n} like to eat?")),
    "color": Field(lambda r: r.choice(COLORS), ("wears {v}", "paints the house {v}"), ("Which color does {n} wear?", "What color does {n} choose?")),
    "day": Field(lambda r: r.choice(DAYS), ("comes on {v}", "arrives on {v}"), ("When does {n} come?", "On which day does {n} come?")),
    "item": Field(word, ("buys a {v}", "brings the {v}"), ("What does {n} buy?", "What does {n} bring?")),
}


def _facts(r: Random, name: str, count: int) -> tuple[dict[str, str], str]:
    values = {f: FIELDS[f].value(r) for f in r.sample(sorted(FIELDS), count)}
    parts = [r.choice(FIELDS[f].says).format(v=v) for f, v in values.items()]
    joined = " and ".join(parts) if count < 3 else ", ".join(parts[:-1]) + " and " + parts[-1]
    return values, f"{name} {joined}."


def context(r: Random) -> Item:
    people: list[str] = []
    while len(people) < r.choice([1, 2, 2, 3]):
        p = person(r)
        if p not in people:
            people.append(p)
    told = {p: _facts(r, p, r.choice([1, 1, 2])) for p in people}
    who = r.choice(people)
    what = r.choice(sorted(told[who][0]))
    text = " ".join(told[p][1] for p in people)
    ask = r.choice(FIELDS[what].asks).format(n=who)
    frames = ["{t} {q}", "{t}\n{q}", "Context: {t}\nQuestion: {q}", "Text: {t}\nQuestion: {q}", "Read this: {t} {q}"]
    return Item(r.choice(frames).format(t=text, q=ask), told[who][0][what], text + ask)


def to_json(r: Random) -> Item:
    name = person(r)
    values, text = _facts(r, name, r.choice([1, 2, 2, 3]))
    values = {"name": name, **values}
    keys = sorted(values)
    r.shuffle(keys)
    listed = ", ".join(keys[:-1]) + " and " + keys[-1]
    frames = ["Write as JSON with {k}: {t}", "JSON with {k}: {t}", "Turn into JSON with {k}: {t}", "{t}\nGive JSON with {k}."]
    answer = json.dumps({k: int(values[k]) if k == "age" else values[k] for k in keys})
    return Item(r.choice(frames).format(k=listed, t=text), answer, text + listed)


_ALL: tuple[tuple[Skill, float], ...] = (
    (add, 4.0),
    (day, 0.5),
    (month, 0.6),
    (digits, 1.0),
    (number_words, 1.0),
    (sort_words, 3.0),
    (capital, 0.4),
    (opposite, 0.4),
    (context, 2.8),
    (to_json, 2.2),
)
SKILLS: dict[str, Skill] = {skill.__name__: skill for skill, _ in _ALL}
WEIGHTS: dict[str, float] = {skill.__name__: weight for skill, weight in _ALL}
CLOSED = frozenset({"add", "day", "month", "digits", "number_words", "capital", "opposite"})
EXACT_TEXT = frozenset({"context", "to_json"})
"""Skills whose question is data from its first letter on, so that nothing may be put before it."""


def held_out(name: str, key: str) -> bool:
    """Whether training never shows this key."""
    return name not in CLOSED and zlib.crc32(f"{name}:{key}".encode()) % 8 == 0


def practice(r: Random, name: str, *, exam: bool = False) -> Item:
    """One item of a skill, from the part that is for training, or from the part that is for the examination."""
    while True:
        item = SKILLS[name](r)
        if name in CLOSED or held_out(name, item.key) == exam:
            return item


def any_skill(r: Random) -> str:
    return r.choices(list(SKILLS), [WEIGHTS[name] for name in SKILLS])[0]
