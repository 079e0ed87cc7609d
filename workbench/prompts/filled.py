"""`Prompter`: a text with slots, as one turn. From a text, a dict, a file, or a known template's name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from ..core.messages import Message
from ..errors import ArgumentError, DataError, unknown_argument
from . import slots
from .base import PrompterBase, Tools
from .history import as_turns
from .layout import PLAIN, said

_ALPACA = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n"
)
TEMPLATES: Mapping[str, Mapping[str, str]] = {
    "alpaca": {"prompt": _ALPACA, "response_split": "### Response:"},
    "puyu": {"prompt": "<|Human|>:{instruction}\n{input}<eoh>\n<|Assistant|>:", "response_split": "<|Assistant|>:"},
}
_ARGUMENTS = ("prompt", "response_split", "chat_prompt", "history_symbol", "eoa", "eoh", "show", "tools")


class Prompter(PrompterBase):
    """A text whose slots are filled, as what the user says.

    Parameters
    ----------
    prompt : str, optional
        The text; None is nothing around the input.
    response_split : str, optional
        What the answer follows, in the outputs of models that repeat their prompt.
    chat_prompt : str, optional
        The text where there are earlier turns; it has a slot for them. Without it they come as turns of their own.
    history_symbol : str, optional
        That slot's name.
    eoa, eoh : str, optional
        What stands between two pairs of turns, and between the two of a pair, in that slot. Line breaks when not given.
    show, tools
        As in `PrompterBase`.

    Examples
    --------
    >>> Prompter('Answer the following: {question}').generate_prompt('What is AI?')
    'Answer the following: What is AI?'
    """

    layout = PLAIN

    def __init__(
        self,
        prompt: str | None = None,
        response_split: str | None = None,
        *,
        chat_prompt: str | None = None,
        history_symbol: str = "llm_chat_history",
        eoa: str | None = None,
        eoh: str | None = None,
        show: bool = False,
        tools: Tools = None,
    ) -> None:
        super().__init__(show, tools)
        if chat_prompt is not None and history_symbol not in slots.names(chat_prompt):
            fix = f"Write {{{history_symbol}}} where the earlier turns belong, or name the slot with history_symbol=."
            raise ArgumentError("The chat_prompt has no slot for earlier turns.", f"It has: {', '.join(slots.names(chat_prompt)) or 'none'}.", fix)
        self.prompt, self.chat_prompt, self.history_symbol = prompt, chat_prompt, history_symbol
        self.eoa, self.eoh = "\n" if eoa is None else eoa, "\n" if eoh is None else eoh
        self.response_split = response_split

    @classmethod
    def from_dict(cls, prompt: Mapping[str, Any], *, show: bool = False) -> Self:
        """From a dict of the constructor's arguments; one of another name is refused."""
        for key in prompt:
            if key not in _ARGUMENTS:
                raise unknown_argument("Prompter", str(key), _ARGUMENTS)
        return cls(**{"show": show, **prompt})

    @classmethod
    def from_template(cls, template_name: str, *, show: bool = False) -> Self:
        """A known template: ``'alpaca'`` or ``'puyu'``, both with the slots ``instruction`` and ``input``."""
        if template_name not in TEMPLATES:
            raise ArgumentError(f"No prompt template is called {template_name!r}.", "", f"Choose one of: {', '.join(TEMPLATES)}.")
        return cls.from_dict(TEMPLATES[template_name], show=show)

    @classmethod
    def from_file(cls, fname: str | Path, *, show: bool = False) -> Self:
        """From a JSON or YAML file with the constructor's arguments.

        Raises
        ------
        DataError
            When the file cannot be read, or holds something else.
        """
        try:
            text = Path(fname).read_text(encoding="utf-8")
            if Path(fname).suffix.lower() in (".yaml", ".yml"):
                import yaml

                found = yaml.safe_load(text)
            else:
                found = json.loads(text)
        except (OSError, ValueError) as e:
            raise DataError(f"The prompt cannot be read from {fname}.", str(e), "Give a JSON or YAML file.") from e
        except Exception as e:  # yaml's errors have no base that could be named without importing it
            raise DataError(f"The prompt in {fname} is no YAML.", " ".join(str(e).split()), "Check the file.") from e
        if not isinstance(found, Mapping):
            raise DataError(f"The prompt in {fname} is no dict.", f"It is a {type(found).__name__}.", "Write {'prompt': …, 'response_split': …}.")
        return cls.from_dict(found, show=show)

    @classmethod
    def empty(cls) -> Self:
        """Nothing around the input."""
        return cls()

    def _is_empty(self) -> bool:
        return self.prompt is None

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the slots, in the order in which they stand; that of the history is not among them."""
        return tuple(n for n in slots.names(self.prompt or "", self.chat_prompt or "") if n != self.history_symbol)

    def turns(self, value: Any, history: tuple[Message, ...]) -> tuple[Message, ...]:
        """The filled text as the user's turn; earlier turns inside it where there is a ``chat_prompt``, before it otherwise.

        Raises
        ------
        ArgumentError
            When the input does not fill the slots, or the text has none for it.
        """
        given = as_turns(value)
        if self.prompt is None and self.chat_prompt is None:
            return (*history, *(given or (Message("user", slots.fit(value, ())[1]),)))
        if given is not None:
            raise ArgumentError("A Prompter takes no messages.", "Its text is the whole turn.", "Give a text or a dict, or use ChatPrompter.")
        if not self.slots and not isinstance(value, Mapping):
            fix = "Write {question} where the input belongs, or use ChatPrompter, which puts it behind the text."
            raise ArgumentError("The prompt has no slot for the input.", f"It is {self.prompt!r:.80}.", fix)
        values, _ = slots.fit(value, self.slots, over=False)
        inside = bool(self.chat_prompt) and (bool(history) or not self.prompt)
        text = slots.fill((self.chat_prompt if inside else self.prompt) or "", {**values, self.history_symbol: self._talk(history)})
        return (Message("user", text),) if inside else (*history, Message("user", text))

    def _talk(self, history: tuple[Message, ...]) -> str:
        pairs: list[list[str]] = []
        for turn in history:
            if turn.role == "user" or not pairs:
                pairs.append([])
            pairs[-1].append(said(turn))
        return self.eoa.join(self.eoh.join(pair) for pair in pairs)

    def get_response(self, output: str, input: Any = None) -> str:
        """The answer alone: without the leading ``input``, and what stands before ``response_split``."""
        if isinstance(input, str) and input and output.startswith(input):
            output = output[len(input) :]
        return output.rpartition(self.response_split)[2] if self.response_split else output

    def __repr__(self) -> str:
        return f"Prompter({self.prompt!r:.100})" if self.prompt else "Prompter()"
