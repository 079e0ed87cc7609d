"""Completion of the magics' lines: options from their parsers, models from what is there. Knows no magic's meaning."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult

from .models import candidates

if TYPE_CHECKING:
    from .magics import WorkbenchMagics

_LINE = re.compile(r"^%{1,2}(chat|jobs|gpu)\s+(.*)$", re.DOTALL)


class Matcher:
    """An IPython matcher (API version 2) for lines that begin with one of our magics."""

    matcher_api_version = 2
    matcher_identifier = "workbench.magics"
    matcher_priority = 200

    def __init__(self, magics: WorkbenchMagics) -> None:
        self._magics = magics

    @property
    def __qualname__(self) -> str:
        return self.matcher_identifier

    def __call__(self, context: CompletionContext) -> SimpleMatcherResult:
        found = _LINE.match(context.text_until_cursor) if context.cursor_line == 0 or context.text_until_cursor.startswith("%") else None
        if found is None:
            return {"completions": []}
        *before, word = re.split(r"\s+", found[2])
        words = self._words(found[1], before, word)
        return {
            "completions": [SimpleCompletion(text=w, type=kind) for w, kind in words if w.startswith(word)],
            "matched_fragment": word,
            "suppress": True,
        }

    def _words(self, name: str, before: list[str], word: str) -> list[tuple[str, str]]:
        actions = getattr(self._magics, name).parser._actions
        by_option = {option: a for a in actions for option in a.option_strings}
        last = by_option.get(before[-1]) if before else None
        if last is not None and last.nargs != 0:
            return [(str(c), "value") for c in last.choices or ()]
        options = [(o, "option") for a in actions for o in a.option_strings if o.startswith("--") and not set(a.option_strings) & set(before)]
        if word.startswith("-") or not any(a.dest == "model" for a in actions) or _positional(before, by_option):
            return options
        return [(c, "model") for c in candidates(self._magics.variables)] + ([] if word else options)


def _positional(before: list[str], by_option: dict[str, Any]) -> bool:
    """Whether the model has been given already."""
    value = False
    for word in before:
        if not value and word and not word.startswith("-"):
            return True
        value = word in by_option and by_option[word].nargs != 0
    return False
