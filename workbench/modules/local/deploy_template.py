"""``deploy_method(…, chat_template=…)``: from what people write to a checked file under the home. Renders with it; starts nothing."""

from __future__ import annotations

import os
import warnings
from pathlib import Path


def settle(value: object, model: str) -> str:
    """The absolute path of the template's file; empty for None, the model's own.

    What the template cannot do is told as a warning, once.

    Parameters
    ----------
    value : path, str or None
        A file, Jinja, or the name of a template that ships. A JSON file is an engine's own form (LMDeploy's) and is not looked into.
    model : str
        The path of the model's files; empty where it is not known yet.

    Raises
    ------
    ArgumentError
    """
    from ...runtime.inspecting import template_checks

    if value is None or value == "":
        return ""
    if isinstance(value, str | os.PathLike) and os.fspath(value).endswith(".json") and Path(value).expanduser().is_file():
        return str(Path(value).expanduser().absolute())
    text, name = template_checks.text_of(value)
    lacks = template_checks.checked(text, name, template_checks.special_of(model))
    if lacks and not model:
        warnings.warn(f"{template_checks.called(name)} is taken, but {', and '.join(lacks)}.", stacklevel=_STACK)
    return str(template_checks.kept(text, name))


_STACK = 6  # the cell that called deploy_method
