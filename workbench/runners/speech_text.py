"""Cuts a long text into sentences to say one after the other. Standard library only; knows no model."""

from __future__ import annotations

import re

_ENDS = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s|$)|[。！？；]+["'”’）」』]*|\n+""")
_SHORT = re.compile(
    r"(?:^|\s)(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|No|vs|etc|e\.g|i\.e|z\.B|d\.h|bzw|ca|Nr|Sra?|Mme?)\.$"
)  # a full stop that ends no sentence
_PAUSES = re.compile(r"(?<=[,;:—–，、；：])\s*")


def sentences(text: str, most: int) -> list[str]:
    """The sentences of a text, in order; one longer than ``most`` characters is cut at pauses, then between words, then anywhere.

    With ``most`` 0 the text is one piece. Pieces without a letter or a digit are left out.
    """
    if not most:
        return [text.strip()] if text.strip() else []
    whole: list[str] = []
    start = 0
    for end in [*(m.end() for m in _ENDS.finditer(text)), len(text)]:
        part, start = text[start:end].strip(), end
        if whole and _SHORT.search(whole[-1]):
            whole[-1] += f" {part}"
        else:
            whole.append(part)
    return [piece for sentence in whole for piece in _cut(sentence, most) if any(c.isalnum() for c in piece)]


def _cut(sentence: str, most: int) -> list[str]:
    if len(sentence) <= most:
        return [sentence]
    parts = [p for p in _PAUSES.split(sentence) if p]
    if len(parts) < 2:
        parts = sentence.split()
    if len(parts) < 2:
        return [sentence[i : i + most] for i in range(0, len(sentence), most)]
    out: list[str] = []
    for part in parts:
        if out and len(out[-1]) + 1 + len(part) <= most:
            out[-1] += f" {part}"
        else:
            out.append(part)
    return [piece for part in out for piece in _cut(part, most)]
