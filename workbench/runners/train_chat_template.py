"""Picks the LLaMA-Factory template that writes a conversation exactly as the model's own chat template does.

A model that is trained on another text than it is later asked with loses what it knew; the names of templates do not tell
(``qwen`` adds Qwen's system prompt, ``chatml`` replaces the model's own template). So the candidates are tried: each
writes a few conversations, and the tokens are compared with those of the tokenizer's own chat template. Does not train.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

OWN = "workbench_own"  # the name under which the template read from the tokenizer is registered
_TURNS = [
    {"role": "user", "content": "Which day comes after Monday?"},
    {"role": "assistant", "content": "Tuesday."},
    {"role": "user", "content": "And then?\nOne word."},
    {"role": "assistant", "content": "Wednesday."},
]
_SYSTEM = {"role": "system", "content": "Answer briefly."}
PROBES = {
    "one turn": _TURNS[:2],
    "one turn with a system prompt": [_SYSTEM, *_TURNS[:2]],
    "several turns": _TURNS,
    "several turns with a system prompt": [_SYSTEM, *_TURNS],
}


@dataclass(frozen=True)
class Choice:
    """A template's name, and the kinds of conversation that it does not write as the model's own template does."""

    name: str
    differs: tuple[str, ...]
    has_own: bool


def choose(tokenizer: Any, model: str, model_type: str) -> Choice:
    """The template for this tokenizer; ``default`` where the model has no chat template, which the saved model then gets."""
    from llamafactory.data.template import TEMPLATES

    if not isinstance(tokenizer.chat_template, str):
        return Choice("default", (), False)
    wanted = {name: text for name, turns in PROBES.items() if (text := _own_text(tokenizer, turns)) is not None}
    try:
        TEMPLATES[OWN] = _read_from(tokenizer)
    except Exception:  # a chat template of a kind that nobody foresaw; a named one may still fit
        TEMPLATES.pop(OWN, None)
    best, best_score = "", -1
    for name in _candidates(TEMPLATES, model, model_type):
        score = sum(_likeness(tokenizer, TEMPLATES[name], PROBES[probe], text) for probe, text in wanted.items())
        if score > best_score:
            best, best_score = name, score
        if score == 2 * len(wanted):
            break
    differs = tuple(probe for probe, text in wanted.items() if not _likeness(tokenizer, TEMPLATES[best], PROBES[probe], text))
    return Choice(best, differs, True)


def differs(tokenizer: Any, name: str) -> tuple[str, ...]:
    """The kinds of conversation that a named template writes otherwise than the model is asked with once it is trained.

    None where the trained model gets the template as its own: because it has none, or because LLaMA-Factory puts this one in its place.
    """
    from llamafactory.data.template import TEMPLATES

    template = TEMPLATES.get(name)
    if template is None or template.replace_jinja_template or not isinstance(tokenizer.chat_template, str):
        return ()
    wanted = {probe: text for probe, turns in PROBES.items() if (text := _own_text(tokenizer, turns)) is not None}
    return tuple(probe for probe, text in wanted.items() if not _likeness(tokenizer, template, PROBES[probe], text))


def _read_from(tokenizer: Any) -> Any:
    """The tokenizer's chat template as LLaMA-Factory's `parse_template` reads it, also where it refuses system prompts.

    The parser asks for texts with a system prompt in them; for these it is given the prompt in front of the first question.
    """
    from llamafactory.data.template import parse_template

    class Lenient:
        def __getattr__(self, name: str) -> Any:
            return getattr(tokenizer, name)

        def apply_chat_template(self, messages: list[dict[str, str]], **kwargs: Any) -> str:
            try:
                return str(tokenizer.apply_chat_template(messages, **kwargs))
            except Exception:
                system, rest = messages[0]["content"], messages[1:]
                after = str(tokenizer.apply_chat_template(rest, **kwargs)) if rest else ""
                return (f"{system}\n\n" if system else "") + after

    return parse_template(Lenient())


def _candidates(templates: dict[str, Any], model: str, model_type: str) -> list[str]:
    """Names to try: those of the model's family first (they know its form of tool calls), then its own, then all."""
    letters = re.match(r"[a-z]*", model_type.lower())
    family = letters.group() if letters else ""
    sees = any(os.path.exists(os.path.join(model, f)) for f in ("preprocessor_config.json", "processor_config.json"))
    usable = [n for n, t in templates.items() if not t.replace_jinja_template and (sees or type(t.mm_plugin).__name__ == "BasePlugin")]
    related = sorted((n for n in usable if family and n.startswith(family)), key=lambda n: (n != model_type, len(n)))
    own = [OWN] if OWN in templates else []
    return [*related, *own, *(n for n in usable if n not in related and n != OWN)]


def _own_text(tokenizer: Any, turns: list[dict[str, str]]) -> str | None:
    try:
        return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=False))
    except Exception:  # some templates refuse a system prompt; such a conversation cannot be compared
        return None


def _likeness(tokenizer: Any, template: Any, turns: list[dict[str, str]], text: str) -> int:
    """2 for the same tokens, 1 for the same text but for white space at its end, else 0."""
    system = turns[0]["content"] if turns[0]["role"] == "system" else None
    try:
        pairs = template.encode_multiturn(tokenizer, [dict(t) for t in turns if t["role"] != "system"], system, None)
    except Exception:  # a template made for other inputs
        return 0
    ids = [i for prompt, answer in pairs for i in (*prompt, *answer)]
    if template.efficient_eos:
        ids.append(tokenizer.eos_token_id)
    if None in ids:
        return 0  # it writes tokens that this model does not have
    if ids == tokenizer.encode(text, add_special_tokens=False):
        return 2
    return int(tokenizer.decode(ids, skip_special_tokens=False).rstrip() == text.rstrip())
