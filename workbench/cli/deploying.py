"""``workbench deploy``, ``undeploy`` and ``restart``: deployments from a terminal. They are the same as a notebook's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .console import key_values, say

if TYPE_CHECKING:
    from ..core.jobs import JobRecord

DEPLOYMENT = typer.Argument(metavar="NAME", help="A deployment's name or id, or the name of the model it serves.")


def deploy(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="pocket, a path, a name under the model folders, or a name on the hub.")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]…", help="Arguments of the engine, under its own names, and the workbench's: port, ttl, replace, …"),
    ] = None,
    engine: Annotated[str, typer.Option(help="llama_cpp, transformers, vllm, …; auto takes what fits model and machine.")] = "auto",
    type: Annotated[str, typer.Option(help="llm, vlm, embed, rerank, stt, tts, sd, …; what the files say by default.", show_default=False)] = "",
    name: Annotated[str, typer.Option(help="What to call it; the model's name by default.", show_default=False)] = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Return when it answers.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done, with the engine's command line.")] = False,
) -> None:
    """Serve a model under an OpenAI-compatible address on this machine.

    Prints the address and the file that holds its key. The same model with the same arguments is served once: asking again
    gives the deployment that is there.
    """
    from ..core.jobs import JobState
    from ..errors import ArgumentError
    from ..modules.local import deploy_plan, engines
    from ..modules.local.builder import checked_type
    from ..modules.local.serving import Serving
    from ..runtime.deployments import joining
    from ..runtime.deployments.replacing import makes_room
    from ..runtime.inspecting import models
    from ..runtime.work.front_end import StatusLine, describe
    from ..runtime.work.words import state_word

    chosen = engines.chosen(engine, key_values(arguments or []), attach=False)
    line = StatusLine()
    try:
        path = model
        if engines.needs_model(chosen):
            path = str(models.resolve(model, download=not dry_run, on_progress=lambda progress: line.show(describe(progress))))
        plan = engines.plan(path, chosen, checked_type(type), name=name)
        if dry_run:
            say(str(deploy_plan.dry_run(plan, plan.spec.name)))
            return
        replace = bool(plan.start.get("replace"))
        if replace and not wait:
            raise ArgumentError("replace=true needs --wait.", "The old one ends when the new one answers.", "Leave out --no-wait.")
        first = makes_room(plan.spec, replace=replace, check=bool(plan.start.get("check_fit", True)))
        if wait:
            show = lambda r: line.show(" · ".join(filter(None, (r.name, describe(r.progress)))))  # noqa: E731
            record = Serving().start(plan.spec, show, replace=replace, first=first)
        else:
            record, _ = joining.submit(plan.spec)
    finally:
        line.clear()
    if record.state is JobState.RUNNING:
        _answers(record, plan.why)
    else:
        say(f"{record.name} ({record.id}): {state_word(record).lower()} with {plan.why}. workbench ps shows its address when it answers.")


def _answers(record: JobRecord, why: str) -> None:
    from ..runtime.deployments.endpoints import endpoint_of

    endpoint = endpoint_of(record)
    say(f"{record.name} answers, served by {why}.")
    say(f"  address   {endpoint.url}")
    say(f"  model     {endpoint.model}")
    say(f"  key file  {endpoint.key_file or 'none'}")
    say(f'  try       workbench query {record.name} "What can you do?"')


def undeploy(name: Annotated[str, DEPLOYMENT]) -> None:
    """End a deployment, for everybody who uses it."""
    from ..runtime.work import jobs

    record = deployment(name)
    jobs.stop(record.id)
    jobs.wait(record.id)
    say(f"{record.name} ({record.id}) is stopped.")


def restart(name: Annotated[str, DEPLOYMENT]) -> None:
    """Start a deployment's engine anew, for everybody who uses it; one that has ended comes back as it was."""
    from ..runtime.deployments.deployment import Deployment
    from ..runtime.work.front_end import StatusLine, describe

    line = StatusLine()
    try:
        again = Deployment(name).restart(on_change=lambda record: line.show(describe(record.progress)))
    finally:
        line.clear()
    say(f"{again.name} ({again.id}) answers at {again.url}.")


def deployment(name: str) -> JobRecord:
    """The deployment at work that a user means."""
    from ..errors import JobNotFound
    from ..runtime.deployments.deployment import find

    try:
        return find(name, active=True)
    except JobNotFound as e:
        fix = f"workbench deploy {name} starts it; workbench ps lists what runs."
        raise JobNotFound(e.what, e.cause.replace("There is none.", "No deployment is at work."), fix, job_id=name) from None
