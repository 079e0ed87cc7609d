"""The built-in scorers. They register as plugins do, in the group ``scorer``; see `scoring` for what a scorer is."""

from __future__ import annotations

import json
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import ArgumentError
from .scoring import Judgement, Value
from .values import EvalCase, Measure


def text_of(value: Any) -> str:
    """A value as normalised text: NFC, without space around it; what is not text as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return unicodedata.normalize("NFC", text).strip()


@dataclass(frozen=True)
class Exact:
    """1 when the answer is one of the right answers, compared as normalised text."""

    ignore_case: bool = False
    measure: ClassVar[Measure] = Measure("exact", "Exact match")
    quick: ClassVar[bool] = True

    def judge(self, output: Any, case: EvalCase) -> Value:
        if not case.answers:
            return None
        right = {self._key(a) for a in case.answers}
        return self._key(output) in right

    def _key(self, value: Any) -> str:
        return text_of(value).casefold() if self.ignore_case else text_of(value)


@dataclass(frozen=True)
class Contains:
    """1 when a right answer stands somewhere in the output."""

    ignore_case: bool = True
    measure: ClassVar[Measure] = Measure("contains", "Contains")
    quick: ClassVar[bool] = True

    def judge(self, output: Any, case: EvalCase) -> Value:
        if not case.answers:
            return None
        text = text_of(output)
        answers = [text_of(a) for a in case.answers]
        if self.ignore_case:
            text, answers = text.casefold(), [a.casefold() for a in answers]
        return any(a in text for a in answers)


@dataclass(frozen=True)
class Regex:
    """1 when the pattern is found in the output; without a pattern, the row's right answers are patterns."""

    pattern: str = ""
    flags: int = 0
    measure: ClassVar[Measure] = Measure("regex", "Matches")

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern, self.flags)
        except re.error as e:
            raise ArgumentError(f"{self.pattern!r} is not a regular expression.", str(e)) from e

    def judge(self, output: Any, case: EvalCase) -> Value | Judgement:
        patterns = (self.pattern,) if self.pattern else tuple(text_of(a) for a in case.answers)
        if not patterns:
            return None
        try:
            return any(re.search(p, text_of(output), self.flags) for p in patterns)
        except re.error as e:
            return Judgement(None, f"The expected answer is not a regular expression: {e}")


@dataclass(frozen=True)
class JsonField:
    """1 when the output holds JSON whose value at ``path`` (``a.b.0``) is the expected one.

    The expected answer is that value itself, or JSON with the same path. Without a path the whole values are compared.
    """

    path: str = ""
    measure: ClassVar[Measure] = Measure("json_field", "JSON")
    quick: ClassVar[bool] = True

    def judge(self, output: Any, case: EvalCase) -> Value | Judgement:
        if not case.answers:
            return None
        try:
            found = self._at(find_json(output))
        except (ValueError, LookupError) as e:
            return Judgement(0.0, str(e))
        wanted = [self._expected(a) for a in case.answers]
        if any(found == w or text_of(found) == text_of(w) for w in wanted):
            return 1.0
        return Judgement(0.0, f"{self.path or 'JSON'} is {text_of(found)[:200]}")

    def _expected(self, answer: Any) -> Any:
        try:
            return self._at(find_json(answer) if isinstance(answer, str) else answer)
        except (ValueError, LookupError):
            return answer

    def _at(self, value: Any) -> Any:
        for step in self.path.split(".") if self.path else ():
            if isinstance(value, Mapping) and step in value:
                value = value[step]
            elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                raise LookupError(f"There is no {step!r} on the way to {self.path!r}.")
        return value


def find_json(text: Any) -> Any:
    """The first whole JSON object or list in a text, or the text's own JSON value. Raises ValueError."""
    if not isinstance(text, str):
        return text
    decoder = json.JSONDecoder()
    try:
        return json.loads(text)
    except ValueError:
        for start in re.finditer(r"[{\[]", text):
            try:
                return decoder.raw_decode(text, start.start())[0]
            except ValueError:
                continue
    raise ValueError("The answer holds no JSON.")


_NOT_WORDS = str.maketrans("", "", string.punctuation)
_TOKEN = re.compile(r"[\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]|[^\s\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]+")


def tokens(value: Any) -> list[str]:
    """Words without case, punctuation and articles; a Chinese, Japanese or Korean character is a word."""
    text = text_of(value).lower().translate(_NOT_WORDS)
    return _TOKEN.findall(re.sub(r"\b(a|an|the)\b", " ", text))


@dataclass(frozen=True)
class F1:
    """Overlap of words with the best right answer, 0 to 1: the F1 of SQuAD (Rajpurkar et al. 2016, arXiv:1606.05250)."""

    measure: ClassVar[Measure] = Measure("f1", "F1")
    quick: ClassVar[bool] = True

    def judge(self, output: Any, case: EvalCase) -> Value:
        if not case.answers:
            return None
        said = tokens(output)
        return max(self._overlap(said, tokens(a)) for a in case.answers)

    @staticmethod
    def _overlap(said: list[str], right: list[str]) -> float:
        if not said or not right:
            return float(said == right)
        shared = sum((Counter(said) & Counter(right)).values())
        return 2 * shared / (len(said) + len(right))
