"""``workbench ps``, ``logs`` and ``stop``: faces of `workbench.runtime.work.jobs`."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import note, say, table

if TYPE_CHECKING:
    from ..core.jobs import JobRecord

_LOOK_SECONDS = 0.2
_HISTORY = 1 << 20  # bytes of a log among which its last lines are looked for
WHICH = typer.Argument(metavar="JOB", help="A job's id, the beginning of one, or a name (the newest of that name).")


def ps(
    all: Annotated[bool, typer.Option("--all", "-a", help="Ended jobs too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list, for programs.")] = False,
) -> None:
    """List jobs: fine-tunings and deployments, those of notebooks too."""
    from ..runtime.work import jobs
    from ..runtime.work.words import ago, state_word

    jobs.sweep()
    records = jobs.store().jobs(active=None if all else True)
    if as_json:
        say(json.dumps([_facts(r) for r in records], indent=2, ensure_ascii=False))
        return
    if not records:
        note("No jobs yet." if all else "Nothing runs. workbench ps --all lists ended jobs too.")
        return
    head = ("ID", "NAME", "KIND", "STATE", "WHEN", "DETAIL")
    rows = [(r.id, r.name, r.kind, state_word(r), ago(r.ended_at or r.started_at or r.created_at), _doing(r)) for r in records]
    table(head, rows)


def _doing(record: JobRecord) -> str:
    """Where it answers, unless there is more to say."""
    from ..runtime.work.words import detail

    what = detail(record)
    url = str((record.endpoint or {}).get("url", "")) if str(record.state) == "running" else ""
    return ", ".join(filter(None, [url, "" if url and what == "Ready" else what]))


def _facts(record: JobRecord) -> dict[str, Any]:
    """A job for programs. The endpoint names the file of the key, never the key."""
    progress, failure = record.progress, record.failure
    return {
        "id": record.id,
        "name": record.name,
        "kind": record.kind,
        "backend": record.spec.backend,
        "state": str(record.state),
        "created_at": record.created_at,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "step": record.step,
        "max_steps": record.max_steps,
        "progress": {"phase": progress.phase, "text": progress.text, "fraction": progress.fraction, "eta": progress.eta},
        "endpoint": dict(record.endpoint) if record.endpoint else None,
        "exit_code": record.exit_code,
        "failure": {"cause": failure.cause, "fix": failure.fix} if failure else None,
        "result": dict(record.result),
        "parent": record.spec.parent or None,
    }


def logs(
    job: Annotated[str, WHICH],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job ends.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 40,
) -> None:
    """Show a job's log: everything that its processes wrote."""
    from ..runtime.work import jobs
    from ..store.logs import LogFollower

    record = jobs.store().job(job)
    if not follow:
        last = jobs.log_tail(record.id, lines)
        if last:
            say(last)
        else:
            note(f"{record.name} has written nothing{' yet' if record.state.active else ''}.")
        return
    follower, first = LogFollower(jobs.store().place(record.id).log, history=_HISTORY), True
    while True:
        active = jobs.store().job(record.id).state.active  # before the log: what has ended has written all of it
        text = follower.read(final=not active).rstrip("\n")
        if first and text:
            text = "\n".join(text.split("\n")[-lines:]) if lines else ""
        if text:
            say(text)
        if not active:
            return
        first = False
        time.sleep(_LOOK_SECONDS)


def stop(
    job: Annotated[str, typer.Argument(metavar="[JOB]", help="A job's id, the beginning of one, or a name.", show_default=False)] = "",
    all: Annotated[bool, typer.Option("--all", help="Every job of this home.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for a trainer to write a checkpoint.")] = False,
) -> None:
    """End a job; a trainer finishes its step and writes a checkpoint first."""
    from ..errors import ArgumentError
    from ..runtime.work import jobs
    from ..runtime.work.words import state_word

    if bool(job) == all:
        raise ArgumentError("stop takes one job, or --all.", "", "workbench ps lists the jobs; workbench stop NAME ends one.")
    wanted = jobs.store().jobs(active=True, limit=10_000) if all else [jobs.store().job(job)]
    if all and not wanted:
        note("Nothing runs.")
    for record in wanted:
        if record.state.active:
            jobs.stop(record.id, save=not now)
    for record in wanted:
        if record.state.active:
            say(f"{record.name} ({record.id}): {state_word(jobs.wait(record.id)).lower()}")
        else:
            say(f"{record.name} ({record.id}) has ended already: {state_word(record).lower()}")
