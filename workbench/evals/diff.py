"""Which words differ between two texts. Knows no markup."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

_WORDS = re.compile(r"\s+|[\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]|\w+|[^\w\s]")
LIMIT = 4000  # words; past it the quadratic matcher would take seconds and the reader is lost anyway

ALIKE = 0.3  # texts that share less are two texts, and marking every word of both says nothing

Run = tuple[str, bool]  # text, whether it differs


def words(text: str) -> list[str]:
    """Words, marks and spaces; a Chinese, Japanese or Korean character is a word. Joined they give the text again."""
    return _WORDS.findall(text)


def differences(a: str, b: str) -> tuple[list[Run], list[Run]]:
    """The runs of each text that are shared or its own: ``([(text, own?), …], […])``; one run each where little is shared."""
    left, right = words(a), words(b)
    if a == b or max(len(left), len(right)) > LIMIT:
        return [(a, False)], [(b, False)]
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    if matcher.ratio() < ALIKE:
        return [(a, False)], [(b, False)]
    ours: list[Run] = []
    theirs: list[Run] = []
    for tag, i, j, k, m in matcher.get_opcodes():
        _add(ours, "".join(left[i:j]), tag != "equal")
        _add(theirs, "".join(right[k:m]), tag != "equal")
    return _bridge(ours), _bridge(theirs)


def _add(runs: list[Run], text: str, own: bool) -> None:
    if text:
        runs.append((text, own))


def _bridge(runs: list[Run]) -> list[Run]:
    """A lone space between two changed runs belongs to the change, so that a changed phrase is one mark."""
    out: list[Run] = []
    for n, (text, own) in enumerate(runs):
        between = not own and text.isspace() and 0 < n < len(runs) - 1
        own = own or between
        if out and out[-1][1] == own:
            out[-1] = (out[-1][0] + text, own)
        else:
            out.append((text, own))
    return out
