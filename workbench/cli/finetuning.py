"""``workbench finetune``: a fine-tuning from a terminal; any notebook can attach to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .console import key_values, note, say


def finetune(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="pocket, a path, a name under the model folders, or a name on the hub.")],
    data: Annotated[Path, typer.Option("--data", "-d", help="Rows to train on: JSON, JSONL, CSV or Parquet; alpaca, ShareGPT or OpenAI messages.")],
    target: Annotated[str, typer.Option("--target", "-t", help="What to call the result, or the folder it goes to.")],
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]…", help="Arguments of the trainer, under its own names.")] = None,
    method: Annotated[str, typer.Option(help="The trainer: llamafactory, …; auto takes what fits the model.")] = "auto",
    valid: Annotated[Path | None, typer.Option(help="Rows to validate with.", show_default=False)] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Return when it has ended; interrupting leaves it at work.")] = False,
) -> None:
    """Fine-tune a model. Everything is checked before anything starts.

    Prints the job's id. The job does not belong to this terminal: workbench logs, ps and stop see it, and wb.job(id).monitor()
    shows it in a notebook.
    """
    from .. import modules
    from ..core.jobs import JobState
    from ..modules.local.following import failed, follow
    from ..modules.local.training import check_path
    from ..runtime.work.front_end import StatusLine, describe

    for path in filter(None, (data, valid)):
        check_path(path)  # a dry run would do without
    module: Any = modules.TrainableModule(model, target)
    module.finetune_method(method, **key_values(arguments or [])).trainset(str(data), *([str(valid)] if valid else [])).mode("finetune")
    job = module.update(wait=False)
    say(f"{job.name} ({job.id}) has begun.")
    if not wait:
        note(f"Follow it with: workbench logs -f {job.id}")
        return
    line = StatusLine()
    try:
        record = follow(job.id, lambda r: line.show(" · ".join(filter(None, (r.name, describe(r.progress))))))
    except KeyboardInterrupt:
        line.clear()
        note(f"The fine-tuning goes on. workbench stop {job.id} ends it.")
        raise typer.Exit(130) from None
    line.clear()
    if record.state is not JobState.SUCCEEDED:
        raise failed(record, f"The fine-tuning {record.name} did not finish ({record.state}).", f"Look at: workbench logs {record.id}")
    path = record.result.get("model", "")
    say(f"{record.name} is done{f': {path}' if path else '.'}")
