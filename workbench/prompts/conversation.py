"""`ChatPrompter`: instruction, slots and earlier turns around what the user says. Does not know models or their templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.messages import Message
from ..errors import ArgumentError, nearest
from . import slots
from .base import PrompterBase, Tools
from .history import as_turns

_KEYS = ("system", "user", "drop_builtin_system")


class ChatPrompter(PrompterBase):
    """An instruction around what the user says, with earlier turns between them.

    A text fills the only slot of the instruction, or is the user's turn where there is none. A dict fills the slots; at most one
    entry may be left over, and is the user's turn. Messages are taken as they are, and their system text wins. Where the user
    would say nothing, because the instruction has taken it all in, the instruction is what the user says: many models
    and vendors answer no empty turn.

    Parameters
    ----------
    instruction : str or dict, optional
        The system text; or ``{'system': …, 'user': …}``, the latter before what the user says. Both may have ``{slots}``.
        ``'drop_builtin_system': True`` in the dict sends an empty system text where there is none, which keeps a model's
        template from adding its own.
    extra_keys : str or list of str, optional
        Names of further values that an input brings; each stands under its name at the end of the instruction.
    show, tools, history, enable_system
        As in `PrompterBase`.
    skills : str or list of str, optional
        Further instructions, after the first.

    Raises
    ------
    ArgumentError
        For an instruction of another form.

    Examples
    --------
    >>> ChatPrompter({'system': 'You are a {role}.', 'user': 'Answer: {question}'}).messages({'role': 'pirate', 'question': 'Why?'})
    """

    def __init__(
        self,
        instruction: str | Mapping[str, Any] | None = None,
        extra_keys: str | Iterable[str] | None = None,
        show: bool = False,
        tools: Tools = None,
        skills: str | Iterable[str] | None = None,
        history: Any = None,
        *,
        enable_system: bool = True,
        extro_keys: str | Iterable[str] | None = None,
    ) -> None:
        super().__init__(show, tools, history, enable_system=enable_system)
        self.system, self.user, self.drop_builtin_system = parts_of(instruction)
        further = [skills] if isinstance(skills, str) else list(skills or ())
        self.extra_keys = keys_of(extra_keys or extro_keys)
        extras = self._extras(self.extra_keys)
        self.system = "\n\n".join(t for t in (self.system, *further, extras) if t)

    @staticmethod
    def _extras(keys: tuple[str, ...]) -> str:
        """The slots of the extra keys, under their names."""
        return "\n\n".join(("Further information:", *(f"### {key}:\n{{{key}}}" for key in keys))) if keys else ""

    @staticmethod
    def of(prompt: Any = None, history: Any = None) -> PrompterBase:
        """See `workbench.prompts.prompter_of`."""
        from .of import prompter_of

        return prompter_of(prompt, history)

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the slots, in the order in which they stand."""
        return slots.names(self.system, self.user)

    def turns(self, value: Any, history: tuple[Message, ...]) -> tuple[Message, ...]:
        """The turns: system text, earlier turns, the user's."""
        given = as_turns(value)
        if given is not None:
            return self._around(given, history)
        if isinstance(value, list | tuple) and not value:
            raise ArgumentError("There is nothing to send.", "The list of messages is empty.", "Give a text, a dict, or at least one message.")
        values, said = slots.fit(value, self.slots)
        system, user = slots.fill(self.system, values), "\n".join(t for t in (slots.fill(self.user, values), said) if t)
        if not user:
            system, user = "", system
        return (*self._system(system), *history, Message("user", user))

    def _system(self, text: str) -> tuple[Message, ...]:
        return (Message("system", text),) if text or self.drop_builtin_system else ()

    def _around(self, turns: tuple[Message, ...], earlier: tuple[Message, ...]) -> tuple[Message, ...]:
        if self.slots:
            raise ArgumentError(f"The prompt has slots ({', '.join(self.slots)}), but messages were given.", "", "Give a dict with the slots.")
        if earlier and turns[0].role == "system":
            return (turns[0], *earlier, *turns[1:])
        own = () if any(t.role == "system" for t in turns) else self._system(slots.fill(self.system, {}))
        return (*own, *earlier, *turns)

    def __repr__(self) -> str:
        shown: Any = {"system": self.system, "user": self.user} if self.user else self.system
        return f"{type(self).__name__}({shown!r:.100})" if shown else f"{type(self).__name__}()"


def parts_of(instruction: Any) -> tuple[str, str, bool]:
    """(system text, user text, whether the model's own system text is unwanted) of an instruction.

    Raises
    ------
    ArgumentError
        For another form; a misspelt key is named.
    """
    if instruction is None or isinstance(instruction, str):
        return instruction or "", "", False
    if not isinstance(instruction, Mapping):
        raise ArgumentError(f"A prompt cannot be a {type(instruction).__name__}.", "", "Give a text, a dict with 'system' and 'user', or None.")
    for key, value in instruction.items():
        if key not in _KEYS:
            near = nearest(str(key), _KEYS)
            fix = f"Write {{{near!r}: …}}." if near else f"It knows: {', '.join(_KEYS)}."
            raise ArgumentError(f"A prompt dict does not know {key!r}.", f"{near!r} is the nearest name it knows." if near else "", fix)
        if key != "drop_builtin_system" and not isinstance(value, str | None):
            raise ArgumentError(f"The {key!r} of a prompt cannot be a {type(value).__name__}.", "", "Give a text.")
    return instruction.get("system") or "", instruction.get("user") or "", bool(instruction.get("drop_builtin_system"))


def keys_of(keys: str | Iterable[str] | None) -> tuple[str, ...]:
    """Names of extra values.

    Raises
    ------
    ArgumentError
        For one that cannot be a slot's name.
    """
    found = (keys,) if isinstance(keys, str) else tuple(keys or ())
    for key in found:
        if not isinstance(key, str) or not key.isidentifier():
            near = nearest(str(key), ["input"])
            raise ArgumentError(
                f"{key!r} cannot name an extra value.", "A name has letters, digits and _.", f"Write {near!r}." if near else "Choose a name."
            )
    return found
