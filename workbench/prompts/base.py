"""`PrompterBase`: what all prompters share: history, tools, hooks, and the forms in which a prompt can be looked at.

A prompter makes *turns* and the tools that go with them. The final text is made from these by the chat template of the model, on the
server that runs it, so the same prompter fits every model; the text given by `generate_prompt` is for reading, and for models
without a chat template. No system text is ever added that the user did not write. Knows no model and sends nothing.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from .. import registry
from ..core.messages import ChatRequest, Message, as_messages
from ..errors import ArgumentError
from .history import as_history
from .layout import CHAT, Layout

Tool = Mapping[str, Any]
Tools = Sequence[Tool] | Callable[..., Sequence[Tool]] | None
PreHook = Callable[[Any, Any, Any, Any], tuple[Any, Any, Any, Any]]

_FORMATS = {"openai": "openai_chat", "anthropic": "anthropic_messages"}
_SHOWN = ("system", "systemInstruction", "system_instruction", "messages", "contents", "tools", "toolConfig")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is sent for one input: the turns, and the tools that the model may call."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()


class PrompterBase:
    """Base of the prompters. Override `turns`.

    Parameters
    ----------
    show : bool, optional
        Print every prompt as text.
    tools : list of dict or callable, optional
        OpenAI tool descriptions; or a function that gives them for a call, and may take ``query`` and ``history``. Tools given in a
        call take their place.
    history : sequence, optional
        Turns before those of every call: ``[[user, assistant], …]`` or OpenAI messages.
    enable_system : bool, optional
        Accepted for prompts written elsewhere: no system text is ever added here.

    Examples
    --------
    >>> class Polite(PrompterBase):
    ...     def turns(self, value, history):
    ...         return [*history, {'role': 'user', 'content': f'Please: {value}'}]
    >>> Polite().messages('sing')[-1].content
    'Please: sing'
    """

    layout: Layout = CHAT
    """How the prompt looks as text."""
    has_history: bool = True
    """Whether it takes earlier turns; a session's are kept from one that does not."""

    def __init__(self, show: bool = False, tools: Tools = None, history: Any = None, *, enable_system: bool = True) -> None:
        self.show, self.tools, self.history = show, tools, as_history(history)
        self._pre_hooks: tuple[PreHook, ...] = ()
        if not callable(tools):
            checked_tools(tools)

    # ---- for subclasses

    def turns(self, value: Any, history: tuple[Message, ...]) -> Sequence[Message | Mapping[str, Any]]:
        """The turns for an input; ``history`` has all earlier ones. A subclass may override `generate_prompt` instead."""
        if type(self).generate_prompt is not PrompterBase.generate_prompt:
            return generated(self.generate_prompt, value, history)
        raise NotImplementedError(f"{type(self).__name__} does not say what a prompt looks like: it has no 'turns'.")

    # ---- for modules

    def ask(self, value: Any, history: Any = None, tools: Tools = None, label: Any = None) -> Asked:
        """The turns and tools to send for an input.

        Parameters
        ----------
        value : str, dict or sequence of messages
            What is said, the values of slots, or whole messages.
        history : sequence, optional
            Earlier turns of this call, after the prompter's own.
        tools : list of dict or callable, optional
            Instead of the prompter's own.
        label : any, optional
            For pre-hooks.

        Raises
        ------
        ArgumentError
            When the input does not fit the prompt.
        """
        asked, _ = self._asked(value, history, tools, label)
        if self.show:
            print(self.layout.text(asked.messages, asked.tools))
        return asked

    def messages(self, value: Any, history: Any = None) -> tuple[Message, ...]:
        """The turns to send for an input; see `ask`."""
        return self.ask(value, history).messages

    def with_history(self, history: Any) -> Self:
        """The same prompter with other turns before every call."""
        other = copy.copy(self)
        other.history = as_history(history)
        return other

    def pre_hook(self, hook: PreHook) -> Self:
        """Let a function change what comes in: ``hook(input, history, tools, label)`` gives the four again."""
        if not callable(hook):
            raise ArgumentError(f"A pre-hook cannot be a {type(hook).__name__}.", "", "Give a function of input, history, tools and label.")
        self._pre_hooks = (*self._pre_hooks, hook)
        return self

    # ---- for looking at it

    def generate_prompt(
        self,
        input: Any = "",
        history: Any = None,
        tools: Tools = None,
        label: Any = None,
        *,
        show: bool = False,
        return_dict: bool = False,
        format: str | None = None,
    ) -> Any:
        """The prompt as a text, or as the body of a request.

        Parameters
        ----------
        input, history, tools
            As in `ask`.
        label : any, optional
            The answer that is wanted, for training data: it stands at the end of the text, or as the last message.
        show : bool, optional
            Print the text.
        return_dict : bool, optional
            The same as ``format='openai'``.
        format : str, optional
            ``'openai'``, ``'anthropic'``, or the name of another dialect.

        Returns
        -------
        str or dict
            The text; or with a format ``{'messages': […], 'tools': […]}``, in the vendor's own form.
        """
        asked, label = self._asked(input, history, tools, label)
        text = self.layout.text(asked.messages, asked.tools, "" if label is None else str(label))
        if show or self.show:
            print(text)
        if not return_dict and format is None:
            return text
        if label is not None:
            asked = Asked((*asked.messages, Message("assistant", str(label))), asked.tools)
        return body(asked, format or "openai")

    def get_response(self, output: str, input: Any = None) -> str:
        """The answer alone, from a model that repeats its prompt: without the leading ``input``, and what stands before the answer's mark."""
        if isinstance(input, str) and input and output.startswith(input):
            return output[len(input) :]
        mark = self.layout.answer
        return output.rpartition(mark)[2] if mark else output

    # ---- inside

    def _asked(self, value: Any, history: Any, tools: Tools, label: Any) -> tuple[Asked, Any]:
        for hook in self._pre_hooks:
            changed = hook(value, history, tools, label)
            if not (isinstance(changed, tuple | list) and len(changed) == 4):
                raise ArgumentError(
                    "A pre-hook must give four values.", f"It gave {changed!r:.80}.", "End it with: return input, history, tools, label"
                )
            value, history, tools, label = changed
        earlier = (*self.history, *as_history(history))
        turns = as_messages(tuple(self.turns(value, earlier)))
        return Asked(turns, self._tools(tools, value, earlier)), label

    def _tools(self, given: Tools, value: Any, history: tuple[Message, ...]) -> tuple[Tool, ...]:
        chosen = given or self.tools
        if callable(chosen):
            known = inspect.signature(chosen).parameters
            chosen = chosen(**{k: v for k, v in {"query": value, "history": history}.items() if k in known})
        return checked_tools(chosen)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def generated(generate_prompt: Callable[..., Any], value: Any, history: tuple[Message, ...]) -> tuple[Message, ...]:
    """The turns of a prompter that only knows ``generate_prompt``; a text is one turn of the user."""
    made = generate_prompt(value, [{"role": m.role, "content": m.content} for m in history], return_dict=True)
    return as_messages(made["messages"] if isinstance(made, Mapping) and "messages" in made else made)


def checked_tools(tools: Any) -> tuple[Tool, ...]:
    """Tool descriptions in OpenAI's form; a bare function's description is put into it.

    Raises
    ------
    ArgumentError
        For one that names no function.
    """
    if tools is None:
        return ()
    if isinstance(tools, Mapping):
        tools = [tools]
    if isinstance(tools, str) or not isinstance(tools, Sequence):
        raise ArgumentError(
            f"Tools cannot be a {type(tools).__name__}.", "", "Give a list of OpenAI tool descriptions, or a function that gives one."
        )
    found: list[Tool] = []
    for tool in tools:
        if not isinstance(tool, Mapping):
            raise ArgumentError(f"A tool cannot be a {type(tool).__name__}.", "", "Describe it: {'type': 'function', 'function': {'name': …}}.")
        found.append({"type": "function", "function": tool} if "name" in tool and "type" not in tool and "function" not in tool else tool)
    return tuple(found)


def body(asked: Asked, format: str) -> dict[str, Any]:
    """What a request in that format would hold of the prompt: turns, system text and tools."""
    dialect = registry.get("dialect", _FORMATS.get(format, format))({})
    whole = dialect.encode(ChatRequest(asked.messages, "", asked.tools), stream=False).json
    return {key: whole[key] for key in _SHOWN if whole.get(key)}
