"""Completion of the magics' lines: options from their parsers, models from what is there. Knows no magic's meaning."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from .models import candidates

if TYPE_CHECKING:
    from IPython.core.completer import MatcherAPIv2 as ContextMatcher

    from .magics import WorkbenchMagics

IDENTIFIER = "workbench.magics"
_LINE = re.compile(r"^(%%?)(chat|jobs|gpu)\s+(.*)$", re.DOTALL)


def matcher(magics: WorkbenchMagics) -> ContextMatcher:
    """An IPython matcher for lines that begin with one of our magics; the magics of this shell say what fits."""

    @context_matcher(priority=200, identifier=IDENTIFIER)  # type: ignore[untyped-decorator]  # IPython ships it without types
    def complete(context: CompletionContext) -> SimpleMatcherResult:
        found = _LINE.match(context.text_until_cursor)
        if found is None or (found[1] == "%%" and context.cursor_line > 0):
            return {"completions": []}
        *before, word = re.split(r"\s+", found[3])
        words = [SimpleCompletion(text=text, type=kind) for text, kind in _words(magics, found[2], before, word) if text.startswith(word)]
        return {"completions": words, "matched_fragment": word, "suppress": True}

    return cast("ContextMatcher", complete)


def _words(magics: WorkbenchMagics, name: str, before: list[str], word: str) -> list[tuple[str, str]]:
    """What may stand where ``word`` begins, with its kind."""
    actions = getattr(magics, name).parser._actions
    by_option = {option: a for a in actions for option in a.option_strings}
    last = by_option.get(before[-1]) if before else None
    if last is not None and last.nargs != 0:
        return [(str(c), "value") for c in last.choices or ()]
    options = [(o, "option") for a in actions for o in a.option_strings if o.startswith("--") and not set(a.option_strings) & set(before)]
    if word.startswith("-") or not any(a.dest == "model" for a in actions) or _positional(before, by_option):
        return options
    return [(c, "model") for c in candidates(magics.variables)] + ([] if word else options)


def _positional(before: list[str], by_option: dict[str, Any]) -> bool:
    """Whether the model has been given already."""
    value = False
    for word in before:
        if not value and word and not word.startswith("-"):
            return True
        value = word in by_option and by_option[word].nargs != 0
    return False
