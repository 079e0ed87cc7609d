"""What can be asked about the exact prompt of a model: the text, its tokens, and the text of tokens. Knows no engine and no template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Want = Literal["render", "tokenize", "detokenize"]


@dataclass(frozen=True, slots=True)
class PromptRequest:
    """One question; of ``messages``, ``text`` and ``ids`` the first that is given counts.

    Attributes
    ----------
    want : str
        ``render`` (messages → text), ``tokenize`` (messages or text → tokens) or ``detokenize`` (tokens → text).
    messages : tuple of dict or None
        OpenAI messages, as they are sent.
    text : str
        A text that no template is applied to.
    ids : tuple of int
        Tokens.
    tools : tuple of dict
        OpenAI tool descriptions.
    variables : Mapping
        What else the template can see, such as ``add_generation_prompt`` or ``enable_thinking``.
    model : str
        The name that the server knows the model by.
    """

    want: Want
    messages: tuple[Mapping[str, Any], ...] | None = None
    text: str = ""
    ids: tuple[int, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""

    @property
    def opens(self) -> bool:
        """Whether the prompt ends with the beginning of the assistant's turn."""
        return bool(self.variables.get("add_generation_prompt", not self.continues))

    @property
    def continues(self) -> bool:
        """Whether the last message is left open, for the model to go on with."""
        return bool(self.variables.get("continue_final_message", False))

    @property
    def others(self) -> dict[str, Any]:
        """The variables that have no meaning of their own here."""
        return {k: v for k, v in self.variables.items() if k not in ("add_generation_prompt", "continue_final_message")}


@dataclass(frozen=True, slots=True)
class Prompted:
    """The answer: the text, the tokens and the strings that they stand for, as far as they were asked for."""

    text: str = ""
    ids: tuple[int, ...] = ()
    pieces: tuple[str, ...] = ()


def _byte_letters() -> dict[str, int]:
    """GPT-2's letters for the 256 bytes (``bytes_to_unicode`` of https://github.com/openai/gpt-2/blob/master/src/encoder.py)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    return {**{chr(b): b for b in plain}, **{chr(256 + i): b for i, b in enumerate(others)}}


_BYTES = _byte_letters()


def readable(pieces: Sequence[str]) -> tuple[str, ...]:
    """Vocabulary entries as the text that they stand for; of part of a character, the replacement character.

    Byte-level vocabularies write a space as ``Ġ``, SentencePiece's as ``▁`` and single bytes as ``<0x0A>``.
    """
    return tuple(map(_from_sentencepiece if any("▁" in p for p in pieces) else _from_bytes, pieces))


def _from_sentencepiece(piece: str) -> str:
    if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
        return bytes([int(piece[3:5], 16)]).decode("utf-8", "replace")
    return piece.replace("▁", " ")


def _from_bytes(piece: str) -> str:
    if not all(letter in _BYTES for letter in piece):
        return _from_sentencepiece(piece)
    return bytes(_BYTES[letter] for letter in piece).decode("utf-8", "replace")
