"""``workbench deploy``, ``query`` and ``undeploy``: deployments from a terminal. They are the same as a notebook's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from . import serving
from .console import key_values, note, say

if TYPE_CHECKING:
    from ..core.jobs import JobRecord

DEPLOYMENT = typer.Argument(metavar="NAME", help="A deployment's name or id, or the name of the model it serves.")


def deploy(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="pocket, a path, a name under the model folders, or a name on the hub.")],
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]…", help="Arguments of the engine, under its own names.")] = None,
    engine: Annotated[str, typer.Option(help="llama_cpp, transformers, vllm, …; auto takes what fits model and machine.")] = "auto",
    name: Annotated[str, typer.Option(help="What to call it; the model's name by default.", show_default=False)] = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Return when it answers.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done, with the engine's command line.")] = False,
) -> None:
    """Serve a model under an OpenAI-compatible address on this machine.

    Prints the address and the file that holds its key. The same model with the same arguments is served once: asking again
    gives the deployment that is there.
    """
    from ..core.jobs import JobState
    from ..modules import deploy_plan, engines
    from ..modules.following import failed, follow
    from ..runtime import jobs, models
    from ..runtime.front_end import StatusLine, describe
    from ..runtime.words import state_word

    chosen = engines.chosen(engine, key_values(arguments or []), attach=False)
    line = StatusLine()
    try:
        path = model
        if engines.needs_model(chosen):
            path = str(models.resolve(model, download=not dry_run, on_progress=lambda progress: line.show(describe(progress))))
        plan = engines.plan(path, chosen, name=name)
        if dry_run:
            say(str(deploy_plan.dry_run(plan, plan.spec.name)))
            return
        record = jobs.submit(plan.spec)
        if wait:
            record = follow(record.id, lambda r: line.show(" · ".join(filter(None, (r.name, describe(r.progress))))), ready=True)
    finally:
        line.clear()
    if record.state is JobState.RUNNING:
        _answers(record, plan.why)
    elif wait:
        raise failed(record, f"{record.name} could not be started.", f"Look at: workbench logs {record.id}")
    else:
        say(f"{record.name} ({record.id}): {state_word(record).lower()} with {plan.why}. workbench ps shows its address when it answers.")


def _answers(record: JobRecord, why: str) -> None:
    from ..runtime.endpoints import endpoint_of

    endpoint = endpoint_of(record)
    say(f"{record.name} answers, served by {why}.")
    say(f"  address   {endpoint.url}")
    say(f"  model     {endpoint.model}")
    say(f"  key file  {endpoint.key_file or 'none'}")
    say(f'  try       workbench query {record.name} "What can you do?"')


def query(
    name: Annotated[str, DEPLOYMENT],
    text: Annotated[
        str, typer.Argument(metavar="[TEXT]", help="What to say; read from standard input when left out or -.", show_default=False)
    ] = "-",
    system: Annotated[str, typer.Option(help="A system message before it.", show_default=False)] = "",
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", metavar="KEY=VALUE", help="A parameter of the request, such as temperature=0 or max_tokens=50."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The text is JSON: the input of a served function.")] = False,
) -> None:
    """Say something to a deployment, or call a served function, and print the answer while it comes."""
    from ..core.messages import ChatRequest, Message
    from ..errors import ArgumentError
    from ..runtime import endpoints
    from ..runtime.client import open_stream

    if text == "-":
        if sys.stdin.isatty():
            note("Type the text; end with Ctrl-D.")
        text = sys.stdin.read()
    if not text.strip():
        raise ArgumentError("There is nothing to say.", "The text is empty.", f'workbench query {name} "What can you do?"')
    turns = (*((Message("system", system),) if system else ()), Message("user", text))
    record = _deployment(name)
    if record.spec.backend == "function":
        serving.ask(record, text, json, system, key_values(parameters or []))
        return
    with open_stream(endpoints.endpoint_of(record), ChatRequest(turns, parameters=key_values(parameters or []))) as stream:
        for piece in stream:
            if piece.tag == "text":
                print(piece, end="", flush=True)
    say()


def undeploy(name: Annotated[str, DEPLOYMENT]) -> None:
    """End a deployment, for everybody who uses it."""
    from ..runtime import jobs

    record = _deployment(name)
    jobs.stop(record.id)
    jobs.wait(record.id)
    say(f"{record.name} ({record.id}) is stopped.")


def _deployment(name: str) -> JobRecord:
    """The deployment at work that a user means."""
    from ..errors import JobNotFound, nearest
    from ..runtime import jobs

    jobs.sweep()
    active = jobs.store().jobs(kind="deploy", active=True)
    for fits in (
        [r for r in active if r.name == name or r.id == name],
        [r for r in active if r.endpoint and r.endpoint.get("model") == name],
        [r for r in active if len(name) >= 3 and r.id.startswith(name)],
    ):
        if fits:
            return fits[0]
    names = [r.name for r in active]
    near = nearest(name, names)
    cause = f"{near!r} is the nearest name." if near else f"At work: {', '.join(names)}." if names else "No deployment is at work."
    raise JobNotFound(f"No deployment is called {name!r}.", cause, f"workbench deploy {name} starts it; workbench ps lists what runs.")
