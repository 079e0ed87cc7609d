"""``%load_ext workbench``: the magics ``%%chat``, ``%jobs``, ``%gpu`` and ``%keys``, with help and completion, in any IPython."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load", "unload"]


def load(shell: InteractiveShell) -> None:
    """Register magics, completion and the help of an empty cell; loading twice changes nothing."""
    from .completion import matcher
    from .magics import WorkbenchMagics, help_in_an_empty_cell

    unload(shell)
    magics = WorkbenchMagics(shell)
    shell.register_magics(magics)
    shell.Completer.custom_matchers.append(matcher(magics))
    shell.input_transformers_cleanup.append(help_in_an_empty_cell)


def unload(shell: InteractiveShell) -> None:
    """Take everything away again."""
    from .completion import IDENTIFIER
    from .magics import NAMES, help_in_an_empty_cell

    for kind, names in NAMES.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
    shell.Completer.custom_matchers[:] = [m for m in shell.Completer.custom_matchers if getattr(m, "matcher_identifier", "") != IDENTIFIER]
    if help_in_an_empty_cell in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(help_in_an_empty_cell)
