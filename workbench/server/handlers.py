"""The REST routes. Whatever may block runs in a thread; every error has the shape ``{what, cause, fix}``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import tornado.web
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler

from ..errors import ArgumentError, JobNotFound, WorkbenchError
from ..runtime import machine
from ..runtime.deployments import joining
from ..runtime.inspecting import catalog
from ..runtime.work import jobs
from .events import Pump
from .jobs_view import JobsView
from .logs import read_log

_JOB = r"/workbench/jobs/(?P<job_id>[\w.-]+)"


class WorkbenchHandler(APIHandler):
    """What the routes share."""

    auth_resource = "workbench"

    @property
    def view(self) -> JobsView:
        view: JobsView = self.settings["workbench_view"]
        return view

    @property
    def pump(self) -> Pump:
        pump: Pump = self.settings["workbench_pump"]
        return pump

    async def answer(self, work: Callable[[], Any]) -> None:
        """Finish with what ``work`` gives, run in a thread, or with the error it raises."""
        try:
            self.finish(await asyncio.to_thread(work))
        except WorkbenchError as e:
            self.set_status(404 if isinstance(e, JobNotFound) else 400 if isinstance(e, ArgumentError) else 409)
            self.finish({"what": e.what, "cause": e.cause, "fix": e.fix})

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        reason = getattr(error, "log_message", None) or getattr(error, "reason", None) or (f"{type(error).__name__}: {error}" if error else "")
        self.set_header("Content-Type", "application/json")
        self.finish({"what": f"{self.request.method} {self.request.path} failed ({status_code}).", "cause": reason or "", "fix": ""})

    def number(self, name: str, default: int) -> int:
        """A number of the query."""
        value = self.get_query_argument(name, str(default))
        if not value.lstrip("-").isdigit():
            raise tornado.web.HTTPError(400, f"{name} must be a number, not {value!r}")
        return int(value)


class JobsHandler(WorkbenchHandler):
    """``GET workbench/jobs?kind=&active=&limit=``: the jobs, newest first; and the pump works for a minute more.

    What lost jobs left behind is cleared away first, as every command that looks does.
    """

    @tornado.web.authenticated
    @authorized
    async def get(self) -> None:
        self.pump.watch()
        kind, active, limit = self.get_query_argument("kind", None), self.get_query_argument("active", None), self.number("limit", 200)
        chosen = None if active is None else active not in ("0", "false")

        def look() -> dict[str, Any]:
            jobs.sweep()
            return {"jobs": self.view.all(kind=kind, active=chosen, limit=limit)}

        await self.answer(look)


class JobHandler(WorkbenchHandler):
    """``GET workbench/jobs/<id>``: one job."""

    @tornado.web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        await self.answer(lambda: self.view.one(job_id))


class LogsHandler(WorkbenchHandler):
    """``GET workbench/jobs/<id>/logs?after=``: the log past a byte, or its last part when ``after`` is not given."""

    @tornado.web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        after = self.number("after", -1)
        await self.answer(lambda: read_log(jobs.store(), job_id, after))


class MetricsHandler(WorkbenchHandler):
    """``GET workbench/jobs/<id>/metrics?after=&limit=``: measured rows past a cursor."""

    @tornado.web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        after, limit = self.number("after", 0), self.number("limit", 100_000)

        def rows() -> dict[str, Any]:
            store = jobs.store()
            found = store.metrics_since(store.job(job_id).id, after, limit)
            return {
                "rows": [{"seq": r.seq, "step": r.step, "epoch": r.epoch, "time": r.time, "values": dict(r.values)} for r in found],
                "cursor": found[-1].seq if found else after,
            }

        await self.answer(rows)


class CommandHandler(WorkbenchHandler):
    """``POST workbench/jobs/<id>/<stop | save | pause | resume | restart>``; ``stop`` takes ``{"save": true}``.

    Answers the job as it is then; after ``resume`` or ``restart`` of an ended job that is the new job.
    """

    @tornado.web.authenticated
    @authorized
    async def post(self, job_id: str, command: Literal["stop", "save", "pause", "resume", "restart"]) -> None:
        body = self.get_json_body() or {}
        save = body.get("save", True) if isinstance(body, dict) else None
        if not isinstance(save, bool):
            raise tornado.web.HTTPError(400, 'the body must be {"save": true} or {"save": false}')

        def act() -> dict[str, Any]:
            record = jobs.store().job(job_id)
            if command == "stop":
                jobs.stop(record.id, save=save)
            elif command == "restart":
                return self.view.one(joining.restart(record.id).id)
            elif command == "resume" and not record.state.active:
                return self.view.one(jobs.resume(record.id).id)
            else:
                jobs.command(record.id, command)
            return self.view.one(record.id)

        await self.answer(act)


class MachineHandler(WorkbenchHandler):
    """``GET workbench/machine``: cores, memory, GPUs and who holds them."""

    @tornado.web.authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(lambda: machine.snapshot().to_json())


class ModelsHandler(WorkbenchHandler):
    """``GET workbench/models``: the models on this machine."""

    @tornado.web.authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(lambda: {"models": [model.to_json() for model in catalog.models()]})


ROUTES: list[tuple[str, type[WorkbenchHandler]]] = [
    (r"/workbench/jobs", JobsHandler),
    (_JOB, JobHandler),
    (_JOB + r"/logs", LogsHandler),
    (_JOB + r"/metrics", MetricsHandler),
    (_JOB + r"/(?P<command>stop|save|pause|resume|restart)", CommandHandler),
    (r"/workbench/machine", MachineHandler),
    (r"/workbench/models", ModelsHandler),
]
