"""The commands and their order in ``workbench --help``. Imports nothing that a command needs: each does that itself."""

from __future__ import annotations

from typing import Annotated

import typer

from . import asking, deploying, environments, evaluating, finetuning, jobs, keeping, serving

app = typer.Typer(
    name="workbench",
    help="Pick, talk to, fine-tune, deploy and evaluate language models. What runs belongs to nobody's terminal or notebook: "
    "every command sees the jobs that any other started.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(f"workbench {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")] = False,
) -> None: ...


MODELS, JOBS, MACHINE = "Models", "Jobs", "This machine"
app.command("deploy", rich_help_panel=MODELS)(deploying.deploy)
app.command("serve", rich_help_panel=MODELS)(serving.serve)
app.command("query", rich_help_panel=MODELS)(asking.query)
app.command("undeploy", rich_help_panel=MODELS)(deploying.undeploy)
app.command("restart", rich_help_panel=MODELS)(deploying.restart)
app.command("finetune", rich_help_panel=MODELS)(finetuning.finetune)
app.command("eval", rich_help_panel=MODELS)(evaluating.evaluate)
app.command("ps", rich_help_panel=JOBS)(jobs.ps)
app.command("logs", rich_help_panel=JOBS)(jobs.logs)
app.command("stop", rich_help_panel=JOBS)(jobs.stop)
app.add_typer(environments.app, name="env", rich_help_panel=MACHINE)
app.add_typer(keeping.app, name="keys", rich_help_panel=MODELS)
