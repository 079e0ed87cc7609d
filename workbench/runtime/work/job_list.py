"""Several jobs as a list that shows as a table. Does not look for them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ...core.jobs import JobRecord, JobState
from .words import ago, detail, state_word

if TYPE_CHECKING:
    from pandas import DataFrame

    from .job import Job

COLOURS = {
    JobState.SUCCEEDED: "--jp-success-color1",
    JobState.FAILED: "--jp-error-color1",
    JobState.LOST: "--jp-error-color1",
    JobState.CANCELLED: "--jp-ui-font-color2",
}
CELL = "padding:4px 12px 4px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--jp-border-color2,#e0e0e0)"


class JobList(list["Job"]):
    """A list of `Job` handles, newest first; in a notebook it shows as a table."""

    def to_pandas(self) -> DataFrame:
        """One row per job: id, name, kind, state, detail, step, max_steps, created, started, ended (UTC), exit_code, parent."""
        import pandas as pd

        columns = ["id", "name", "kind", "state", "detail", "step", "max_steps", "created", "started", "ended", "exit_code", "parent"]
        frame = pd.DataFrame([_facts(job.record) for job in self], columns=columns)
        for name in ("created", "started", "ended"):
            frame[name] = pd.to_datetime(frame[name].astype("float64"), unit="s", utc=True)
        for name in ("step", "max_steps", "exit_code"):
            frame[name] = frame[name].astype("Int64")
        return frame

    def __repr__(self) -> str:
        if not self:
            return "No jobs yet. A fine-tuning or a deployment shows here while it works and after."
        rows = [_words(job.record) for job in self]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[4]]).rstrip() for row in rows)

    def _repr_html_(self) -> str:
        if not self:
            return f"<span>{escape(repr(self))}</span>"
        head = "".join(f'<th style="{CELL};font-weight:500">{name}</th>' for name in ("Name", "State", "Kind", "Id", ""))
        body = "".join(_html_row(job.record) for job in self)
        return (
            f'<table style="border-collapse:collapse;font-variant-numeric:tabular-nums"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        )


def _facts(record: JobRecord) -> list[object]:
    return [
        record.id,
        record.name,
        record.kind,
        str(record.state),
        detail(record),
        record.step,
        record.max_steps,
        record.created_at,
        record.started_at,
        record.ended_at,
        record.exit_code,
        record.spec.parent,
    ]


def _words(record: JobRecord) -> list[str]:
    when = ago(record.ended_at or record.started_at or record.created_at)
    return [record.name, state_word(record), record.kind, record.id, ", ".join(filter(None, [detail(record), when]))]


def _html_row(record: JobRecord) -> str:
    name, state, *rest = (escape(word) for word in _words(record))
    serving = record.endpoint is not None and record.state is JobState.RUNNING
    colour = f"var({COLOURS.get(JobState.SUCCEEDED if serving else record.state, '--jp-brand-color1')})"
    cells = [f"<b>{name}</b>", f'<span style="color:{colour}">●</span> {state}', rest[0], f"<code>{rest[1]}</code>", rest[2]]
    return "<tr>" + "".join(f'<td style="{CELL}">{cell}</td>' for cell in cells) + "</tr>"
