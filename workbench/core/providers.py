"""What a vendor offers, as plain values. Read from the short data files of `workbench.providers`; knows no key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

Confidence = Literal["documented", "tried", "reported", "unconfirmed"]


@dataclass(frozen=True, slots=True)
class Capability:
    """What a vendor offers for one type of model.

    Attributes
    ----------
    codec : str
        A name in the registry group ``dialect`` for ``llm`` and ``vlm``, in the group ``codec`` for the other types.
    url, path : str
        Where it differs from the provider's base address and the codec's own path.
    default_model : str
        Used when the user names none.
    models : tuple of str
        Known names; a user may name any other.
    options : Mapping
        What the codec has to know about this vendor's form.
    parameters : tuple of str
        Names of parameters beyond OpenAI's that the vendor knows; any other goes through ``extra={…}``.
    auth, key_sets : str, tuple of tuple of str
        Where they differ from the provider's: a vendor's speech may be another product with another key.
    headers : Mapping
        Sent besides the provider's.
    when : tuple of (tuple of str, Capability)
        What holds instead for models whose name fits one of the patterns (``paraformer*``): an older family's own form.
    confidence : str
        How sure the facts are; shown by ``wb.providers()``.
    note : str
        What people should know, such as the day on which a model ends.
    """

    codec: str
    url: str = ""
    path: str = ""
    auth: str = ""
    key_sets: tuple[tuple[str, ...], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    default_model: str = ""
    models: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    when: tuple[tuple[tuple[str, ...], Capability], ...] = ()
    confidence: Confidence = "documented"
    note: str = ""

    def for_model(self, model: str) -> Capability:
        """What holds for a model of that name."""
        name = model.lower()
        return next((other for patterns, other in self.when if any(fnmatchcase(name, p.lower()) for p in patterns)), self)


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a vendor's address that the user's account decides, such as a region; it fills ``{region}`` in URLs.

    Attributes
    ----------
    variables : tuple of str
        The vendor's own variables for it, in order.
    default : str
        Where there is none; empty: the user has to give it.
    example : str
        What one looks like, for the error that asks for it.
    """

    variables: tuple[str, ...] = ()
    default: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """One vendor.

    Attributes
    ----------
    name, title : str
        ``qwen`` and what people read.
    url : str
        Base address; ``{names}`` in it are filled from `places`.
    url_variables : tuple of str
        The vendor's own variables for another base address.
    places : Mapping of str to Place
        What fills the names in addresses.
    aliases : tuple of str
        Other names of the source, such as ``dashscope``.
    key_variables : Mapping of str to tuple of str
        For each part of the key (``key``; ``secret_key``, ``app_id`` … where a vendor wants more) the variables that the
        vendor's own documents name, in order.
    key_sets : tuple of tuple of str
        The parts that together are enough, the preferred set first; other parts go along where they are there. Empty: no
        key is needed, though one may be given.
    split_key : tuple of str
        The parts that people write into one variable, joined by a colon.
    variants : Mapping of str to Provider
        What holds instead when the key has a certain part: an account of another kind may have another address.
    auth : str
        A name in the registry group ``auth``; the dialect's own way when empty.
    headers : Mapping
        Sent with every request.
    capabilities : Mapping of str to Capability
        By type: ``llm vlm embed cross_modal_embed rerank stt tts sd image_editing``.
    fine_tuning : Mapping
        The form of the vendor's fine-tuning, for `workbench.finetune`; empty when it has none.
    prefixes : tuple of str
        Beginnings of model names that tell this vendor.
    rank : int
        Which vendor is taken where nothing says which and several keys are there: the lowest.
    prices : str
        The vendor's id in genai-prices, or empty.
    docs : str
        The vendor's page about its API.
    confidence, note : str
        As in `Capability`, about the vendor as a whole.
    """

    name: str
    title: str
    url: str
    aliases: tuple[str, ...] = ()
    url_variables: tuple[str, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)
    key_variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    key_sets: tuple[tuple[str, ...], ...] = ()
    split_key: tuple[str, ...] = ()
    variants: Mapping[str, Provider] = field(default_factory=dict)
    auth: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    capabilities: Mapping[str, Capability] = field(default_factory=dict)
    fine_tuning: Mapping[str, Any] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ()
    rank: int = 50
    prices: str = ""
    docs: str = ""
    confidence: Confidence = "documented"
    note: str = ""

    def sets_of(self, type: str) -> tuple[tuple[str, ...], ...]:
        """The parts of a key of which one set is needed for models of a type, or for ``fine_tuning``."""
        if type == "fine_tuning" and self.fine_tuning.get("key_sets"):
            return tuple(tuple(parts) for parts in self.fine_tuning["key_sets"])
        capability = self.capabilities.get(type)
        return (capability.key_sets if capability is not None else ()) or self.key_sets

    def for_key(self, parts: Iterable[str]) -> Provider:
        """What is known of the vendor for an account whose key has these parts."""
        return next((variant for part, variant in self.variants.items() if part in parts), self)
