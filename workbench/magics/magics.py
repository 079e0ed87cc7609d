"""The magics themselves: a line of arguments in, a module or a view called. Knows IPython and the public functions, no model."""

from __future__ import annotations

# IPython ships its decorators for arguments without types:
# mypy: disable-error-code="no-untyped-call,untyped-decorator"
import getpass
import shlex
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from ..modules.chat import ChatModule
from ..modules.streaming.printing import Printer
from ..runtime.work.front_end import front_end
from .models import find

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from ..runtime.work.job_list import JobList

NAMES = {"line": ("chat", "jobs", "gpu", "keys"), "cell": ("chat",)}
_HELP = argument("-h", "--help", action="store_true", help="Show this help.")


@magics_class
class WorkbenchMagics(Magics):
    """``%%chat``, ``%jobs``, ``%gpu`` and ``%keys``."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.variables = shell.user_ns
        self.started: dict[str, ChatModule] = {}

    @magic_arguments()
    @argument(
        "model",
        nargs="?",
        help="A variable that holds a module, the name or id of a running deployment, or a model's name. "
        "Without it: the module that was started last, else 'pocket'.",
    )
    @argument("--into", metavar="NAME", help="Put the answer's text into this variable.")
    @argument("--system", metavar="TEXT", help="An instruction for this answer, in quotes.")
    @argument("--temperature", type=float, metavar="T", help="How freely to choose words; 0 takes the likeliest.")
    @argument("--max-tokens", type=int, metavar="N", help="Stop after N tokens.")
    @_HELP
    @no_var_expand
    @line_cell_magic
    def chat(self, line: str, cell: str | None = None) -> Any:
        """Say the cell to a model and show its answer while it comes.

        As a line (%chat), it opens the chat widget.
        """
        options = _parse(self.chat, line)
        if options is None:
            return None
        if options.into and not options.into.isidentifier():
            raise UsageError(f"--into needs a variable's name, not {options.into!r}.")
        module = find(options.model or "", self.variables, self.started)
        if cell is None:
            return module.chat()
        text = _say(module, cell.strip("\n"), options)
        if options.into:
            self.variables[options.into] = text
        return None

    @magic_arguments()
    @_HELP
    @argument("-n", type=int, default=50, metavar="N", help="How many to show; 50 when not given.")
    @argument("--active", action="store_true", help="Only those at work.")
    @argument("--kind", choices=("finetune", "deploy"), help="Only jobs of this kind.")
    @line_magic
    def jobs(self, line: str) -> JobList | None:
        """List the jobs and deployments of this machine, the newest first."""
        options = _parse(self.jobs, line)
        if options is None:
            return None
        from ..runtime.work.job import jobs

        return jobs(options.kind, True if options.active else None, options.n)

    @magic_arguments()
    @_HELP
    @line_magic
    def gpu(self, line: str) -> Any:
        """Show the machine live: GPUs, memory, cores, and what each of our jobs holds of them."""
        if _parse(self.gpu, line) is None:
            return None
        if front_end() != "notebook":
            from .machine_text import machine_text

            print(machine_text())
            return None
        from ..modules.views import gpu

        return gpu()

    @magic_arguments()
    @_HELP
    @argument("action", nargs="?", choices=("list", "set", "remove"), default="list", help="What to do; list when not given.")
    @argument("source", nargs="?", default="", help="A vendor, such as openai.")
    @argument("--part", default="", metavar="NAME", help="Only this part of the key, such as secret_key.")
    @argument("--all", action="store_true", help="List vendors without a key, too.")
    @line_magic
    def keys(self, line: str) -> Any:
        """List vendors' keys by where they come from, or keep one in the system's keyring. A key is asked for and never shown."""
        options = _parse(self.keys, line)
        if options is None:
            return None
        from ..runtime.secrets import key_table

        if options.action == "list":
            return key_table.key_table(options.all)
        if not options.source:
            raise UsageError(f"%keys {options.action} needs a vendor: %keys {options.action} openai")
        if options.action == "set":
            print(key_table.keep(options.source, getpass.getpass, options.part))  # looked up now: a kernel puts its own there
        else:
            print(key_table.forget(options.source, options.part))
        return None


def _parse(magic: Callable[..., Any], line: str) -> Namespace | None:
    """The arguments of a line; None after showing the help it asks for."""
    parser = magic.parser  # type: ignore[attr-defined]  # magic_arguments puts it there
    try:
        words = shlex.split(line)
    except ValueError as e:
        raise UsageError(f"The line cannot be read: {e}.") from None
    options: Namespace = parser.parse_args(words)
    if options.help:
        print(parser.format_help())
        return None
    return options


def _say(module: ChatModule, text: str, options: Namespace) -> str:
    if options.system is not None:
        module = module.share(prompt=options.system)
    given = {"temperature": options.temperature, "max_tokens": options.max_tokens}
    printer = Printer()
    with module.stream(text, **{k: v for k, v in given.items() if v is not None}) as answer:
        try:
            for piece in answer:
                printer.put(piece)
        finally:
            printer.end()
    return str(answer.text)


def help_in_an_empty_cell(lines: list[str]) -> list[str]:
    """IPython refuses a cell magic without a body, also one that only asks for its help: ask the line magic instead."""
    if lines and lines[0].startswith("%%chat") and {"-h", "--help"} & set(lines[0].split()) and not any(line.strip() for line in lines[1:]):
        return [lines[0][1:]]
    return lines
