"""Vendors of models as data: one short TOML file each. A user's own lie in ``<home>/providers/*.toml``, where a file of a
built-in's name changes only what it says; or they come from `register_provider` or an entry point ``workbench.provider``.

Knows no key and sends nothing. ``workbench.providers()`` shows them as a table; the module itself can be called because that is
what people type.
"""

from __future__ import annotations

from typing import Any

from ..callable_module import callable_module
from ..core.providers import Provider

__all__ = ["all", "canonical", "find", "names", "provider", "providers", "register_provider", "source_of", "type_of"]


def names() -> list[str]:
    """The names of all sources, without their aliases."""
    from .catalog import names as listed

    return listed()


def provider(name: str) -> Provider:
    """The vendor of that name or alias; only its file is read.

    Raises
    ------
    ArgumentError
        When nobody has that name; the nearest one is in the message.
    """
    from .catalog import provider as read

    return read(name)


def find(name: str) -> Provider | None:
    """The vendor of that name or alias, or None."""
    from .catalog import find as look

    return look(name)


def all() -> list[Provider]:
    """Every vendor, by name; one whose facts cannot be read is warned of and left out."""
    from .catalog import every

    return every()


def source_of(model: str) -> str:
    """The source that a model's name tells, or an empty text."""
    from .model_names import source_of as told

    return told(model)


def type_of(model: str) -> str:
    """The type that a model's name tells (``llm`` ``vlm`` ``embed`` …), or an empty text."""
    from .model_names import type_of as told

    return told(model)


def canonical(type: str) -> str:
    """The one name of a type: ``text2image`` is ``sd``, ``chat`` is ``llm``."""
    from .model_names import canonical as named

    return named(type)


def register_provider(name: str, **facts: Any) -> Provider:
    """Add a vendor for this process, or change what is known of one.

    Parameters
    ----------
    name : str
        What ``source=`` says.
    **facts
        As in a vendor's file: ``url``, ``keys={'key': ['ACME_API_KEY']}``, ``llm={'model': 'acme-large'}``, ``embed={…}``,
        ``aliases``, ``prefixes``, ``headers`` …; see ``docs/online.md``.

    Returns
    -------
    Provider

    Raises
    ------
    ArgumentError
        For a fact nobody knows.

    Examples
    --------
    >>> wb.register_provider('acme', url='https://llm.acme.example/v1', keys={'key': ['ACME_API_KEY']}, llm={'model': 'acme-large'})
    >>> wb.OnlineModule(source='acme')
    """
    from .catalog import register

    return register(name, facts)


def providers() -> Any:
    """All vendors: what each can do, where its key would come from (never the key), default models, and how sure that is.

    Returns
    -------
    ProviderTable
        A list of rows that shows as a table; ``to_pandas()`` makes a DataFrame of it.
    """
    from .. import registry

    return registry.get("view", "providers")()


callable_module(__name__)
