"""Follows one fine-tuning at a vendor from upload to deployment: ``python -m workbench.runtime.supervision.vendor_training JOB_FOLDER``.

Runs as the stage of a job, so it outlives the kernel. Everything reached is written down at once: whoever resumes the job goes on
with the same files and the same fine-tuning. Knows no vendor's wire (`TrainingForm` does) and no key (`workbench.runtime.secrets.keys`).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from ... import registry
from ...core.protocols import CREDENTIALS, HttpRequest
from ...core.remote_training import RemoteEvent, RemoteJob, RemoteSpec, TrainingForm
from ...errors import EndpointDown, EndpointError, EndpointTimeout, RateLimited, StreamBroken, WorkbenchError
from ...runners.train_report import Report
from ..network import calls
from ..secrets import keys

_STOPPED = 143
_PATIENCE = 6 * 3600.0  # seconds for which a vendor that does not answer is asked again while it trains
_CANCEL_SECONDS = 40.0
_TELL_SECONDS = 0.2
_PASSING = (EndpointDown, EndpointTimeout, RateLimited, StreamBroken)


class Stopped(Exception):
    """The user asked it to end."""


class VendorFailed(WorkbenchError):
    """The vendor ended the fine-tuning or the deployment without success."""


@dataclass(slots=True)
class Reached:
    """What has been reached at the vendor: ids of files, job and deployment, and the model's name."""

    train: str = ""
    valid: str = ""
    remote_job: str = ""
    model: str = ""
    deployment: str = ""
    trained_tokens: int | None = None


class Following:
    """One fine-tuning at a vendor.

    Parameters
    ----------
    spec : RemoteSpec
        What to do.
    folder : Path
        The job's.
    report : Report
        Where events go and commands come from.
    """

    def __init__(self, spec: RemoteSpec, folder: Path, report: Report) -> None:
        self.spec, self.report = spec, report
        self.form: TrainingForm = registry.get("training_form", spec.form)(spec.options)
        self._file = folder / "remote" / "remote.json"
        self._file.parent.mkdir(mode=0o700, exist_ok=True)
        self.reached = _before(spec.resume_from)
        self._longest = float(spec.options.get("poll_seconds", 30.0))
        self._told: set[str] = set()
        self._stop = self._quiet = False
        self._state = ""

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """End at the next look."""
        self._stop = True

    def run(self) -> None:
        """Do everything. Raises `Stopped`, or a `WorkbenchError` that says what went wrong."""
        self._save()
        self.report.event("checkpoint", step=0, path=str(self._file.parent))
        try:
            self._begin()
            job = self._follow()
            self.reached.model, self.reached.trained_tokens = job.model, job.trained_tokens
            self._save()
            self._deploy()
        except Stopped:
            self._cancel()
            raise
        self.report.event("result", values={k: v for k, v in asdict(self.reached).items() if v})

    # ---- before

    def _begin(self) -> None:
        reached, form, spec = self.reached, self.form, self.spec
        if reached.remote_job and not reached.model:
            job = self._job()
            if job.state in ("failed", "cancelled"):  # that one is over; its files can be used again
                reached.remote_job = ""
        if reached.remote_job:
            print(f"Going on with {reached.remote_job}.")
            return
        in_bucket = bool(getattr(form, "bucket_scheme", ""))
        reached.train = reached.train or ("" if in_bucket else self._upload(spec.train))
        reached.valid = reached.valid or (self._upload(spec.valid) if spec.valid and not in_bucket else "")
        self._save()
        self._sleep(0.0)  # who stopped it while it uploaded is not to pay for a training
        self._progress("create", "Creating the fine-tuning")
        job_id = _id_of(self._ask(form.create(spec, reached.train, reached.valid)))
        reached.remote_job = job_id
        self._save()
        print(f"The vendor's fine-tuning is {job_id}.")

    def _upload(self, path: str) -> str:
        with open(path, encoding="utf-8") as f:
            lines = [json.dumps(self.form.line(json.loads(line)), ensure_ascii=False) for line in f if line.strip()]
        content = ("\n".join(lines) + "\n").encode()
        found = self.form.uploaded(self._ask(self.form.upload(Path(path).name, content), self._sending(f"Uploading {Path(path).name}")))
        self._progress("upload", f"Uploaded {Path(path).name}", len(content), len(content))
        print(f"{Path(path).name} ({len(content):,} bytes, {len(lines):,} rows) is {found} at the vendor.")
        prepare = self.form.prepare(found)
        if prepare is None:
            return found
        data_id, ready = self.form.prepared(self._ask(prepare))
        for pause in self._pauses():
            if ready:
                break
            self._progress("data", "The vendor prepares the data")
            self._sleep(pause)
            data_id, ready = self.form.prepared(self._ask(self.form.look_prepared(data_id)))
        return data_id

    # ---- while it trains

    def _follow(self) -> RemoteJob:
        # Without a step: measured steps are the vendor's to tell.
        self.report.event("begin", step=0, max_steps=None, device=self.spec.endpoint.source)
        silent_since: float | None = None
        for pause in self._pauses():
            try:
                job = self._job()
                self._events(job)
                silent_since = None
            except _PASSING as e:
                silent_since = silent_since or time.monotonic()
                if time.monotonic() - silent_since > _PATIENCE:
                    raise
                if not self._quiet:
                    self._quiet = True
                    self.report.event("notice", level="warning", text=f"{e.what} It is asked again; the fine-tuning there goes on.")
                self._sleep(pause)
                continue
            self._quiet = False
            if job.state == "succeeded":
                return job
            if job.state in ("failed", "cancelled"):
                fix = "Look at the vendor's console; job.resume() trains again with the same files."
                raise VendorFailed(
                    f"The vendor's fine-tuning {job.id} has {'failed' if job.state == 'failed' else 'been cancelled'}.", job.message, fix
                )
            self._tell(job)
            self._sleep(pause)
        raise AssertionError("pauses never end")

    def _job(self) -> RemoteJob:
        return self.form.job(self._ask(self.form.look(self.reached.remote_job)))

    def _tell(self, job: RemoteJob) -> None:
        if job.status != self._state:
            print(f"{time.strftime('%H:%M:%S')}  {job.id}: {job.status}")
            self._state = job.status
        words = {"pending": "Waiting at the vendor", "running": "The vendor trains"}[job.state] if job.state in ("pending", "running") else job.status
        left = max(0.0, job.finish_at - time.time()) if job.finish_at else None
        self.report.event("progress", phase="train", text=f"{words} ({job.status})", eta=left)

    def _events(self, job: RemoteJob) -> None:
        request = self.form.events(job.id)
        if request is None:
            return
        try:
            events = self._new_events(job.id, request)
        except _PASSING:
            raise
        except EndpointError as e:  # an account may have jobs and no events
            if "events" not in self._told:
                self._told.add("events")
                self.report.event("notice", level="info", text=f"The vendor tells no events: {e.what} {e.cause}".strip())
            return
        for event in events:
            if event.id not in self._told:
                self._told.add(event.id)
                self._event(event)

    def _new_events(self, job_id: str, request: HttpRequest) -> list[RemoteEvent]:
        """What was not told yet, oldest first: pages are read from the newest back to one that is known."""
        found: list[RemoteEvent] = []
        page: HttpRequest | None = request
        while page is not None:
            reply = self._ask(page)
            events = self.form.read_events(reply)
            fresh = [e for e in events if e.id not in self._told]
            found = fresh + found
            page = self.form.older_events(job_id, reply) if len(fresh) == len(events) else None
        return found

    def _event(self, event: RemoteEvent) -> None:
        if event.text:
            print(event.text)
        if event.step is not None and event.values:
            self.report.event("metric", step=event.step, max_steps=event.max_steps, epoch=event.epoch, values=dict(event.values))
        elif event.text and event.level in ("warn", "warning", "error"):
            self.report.event("notice", level="warning", text=event.text)

    # ---- after

    def _deploy(self) -> None:
        reached, form = self.reached, self.form
        if not reached.deployment:
            request = form.deploy(reached.model, self.spec.deploy)
            if request is None:
                return
            self._progress("deploy", "The vendor deploys the model")
            reached.deployment = _id_of(self._ask(request))
            self._save()
        for pause in self._pauses():
            found = form.deployed(self._ask(form.look_deployed(reached.deployment)))
            if found.failed:
                reached.deployment = ""
                self._save()
                fix = "Look at the vendor's console; job.resume() deploys again."
                raise VendorFailed(f"The vendor could not deploy {reached.model}.", found.status, fix)
            if found.ready:
                reached.model = found.model or reached.model
                self._save()
                return
            self._progress("deploy", f"The vendor deploys the model ({found.status})")
            self._sleep(pause)

    def _cancel(self) -> None:
        """Cancel at the vendor and see that it is."""
        if self.reached.deployment:
            self.report.event("notice", level="warning", text=f"The deployment {self.reached.deployment} goes on at the vendor and may cost.")
        if not self.reached.remote_job or self.reached.model:
            return
        self._stop = False
        self._progress("stop", "Cancelling at the vendor")
        try:
            self._ask(self.form.cancel(self.reached.remote_job))
            end = time.monotonic() + _CANCEL_SECONDS
            while (job := self._job()).state in ("pending", "running") and time.monotonic() < end:
                time.sleep(min(1.0, self._longest))
            print(f"{job.id}: {job.status}")
        except EndpointError as e:
            self.report.event("notice", level="warning", text=f"The vendor may still train {self.reached.remote_job}: {e.what} {e.cause}".strip())

    # ---- means

    def _ask(self, request: HttpRequest, sending: calls.Sending | None = None) -> Any:
        return calls.call(self.spec.endpoint, "plain", request, sending=sending).json() or {}

    def _sending(self, text: str) -> calls.Sending:
        """Tells how many bytes of an upload are sent, some times a second."""
        last = 0.0

        def tell(sent: int, size: int) -> None:
            nonlocal last
            if sent == size or time.monotonic() - last > _TELL_SECONDS:
                last = time.monotonic()
                self._progress("upload", text, sent, size)

        return tell

    def _progress(self, phase: str, text: str, done: float | None = None, total: float | None = None) -> None:
        self.report.event("progress", phase=phase, text=text, done=done, total=total, unit="bytes" if total else "")

    def _pauses(self) -> Any:
        """Seconds between two looks: short at first, longer and longer."""
        pause = min(1.0, self._longest)
        while True:
            yield pause
            pause = min(self._longest, pause * 1.5)

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            for command in self.report.commands():
                if command == "stop":
                    self._stop = True
                elif command in ("pause", "save"):
                    self.report.event("notice", level="info", text=f"A vendor's fine-tuning knows no {command!r} from here.")
            if self._stop:
                raise Stopped
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(0.2, left))

    def _save(self) -> None:
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self.reached)))
        os.replace(draft, self._file)


def _before(folder: str) -> Reached:
    """What the job that this one resumes had reached."""
    file = Path(folder) / "remote" / "remote.json" if folder else None
    return Reached(**json.loads(file.read_text())) if file is not None and file.is_file() else Reached()


def _id_of(reply: Mapping[str, Any]) -> str:
    """The id of what a request made, wherever the vendor puts it."""
    inner = next((reply[k] for k in ("output", "job", "Result") if isinstance(reply.get(k), Mapping)), reply)
    return str(next(inner[k] for k in ("id", "job_id", "deployed_model", "Id") if inner.get(k)))


def main(folder: str) -> int:
    """Follow what the job's file says; 0 when the vendor made a model."""
    place = Path(folder)
    payload = json.loads((place / "remote.json").read_text())
    cwd = str(payload.get("options", {}).get("cwd") or "")
    if cwd and os.path.isdir(cwd):
        os.chdir(cwd)  # ./.env is the user's
    report = Report.of_this_process()
    spec = RemoteSpec.from_json(payload)
    credentials = place / CREDENTIALS
    if credentials.is_file():  # a key that was given as an argument; it is in no file any more from here on
        spec = replace(spec, endpoint=replace(spec.endpoint, key_ref=keys.hold(json.loads(credentials.read_text()))))
        credentials.unlink()
    following = Following(spec, place, report)
    signal.signal(signal.SIGTERM, following.on_signal)
    signal.signal(signal.SIGINT, following.on_signal)
    try:
        following.run()
    except Stopped:
        code = _STOPPED
    except WorkbenchError as e:
        print(e, flush=True)
        report.event("error", type=type(e).__name__, message=f"{e.what} {e.cause}".strip(), traceback="")
        code = 1
    else:
        code = 0
    report.event("exit", code=code)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
