"""Every error the workbench raises, and the one shape of their messages. Knows nothing of what raises them.

WorkbenchError
├── SettingsError             a setting or variable is wrong or missing
├── ArgumentError             a bad or unknown argument            (also a ValueError)
│   ├── FlowArgumentError     … of a flow                          (also an AssertionError)
│   └── DoesNotFit            a model needs more memory than is free
├── FlowError                 a flow is built or called wrongly    (also a RuntimeError)
├── DataError                 a data set cannot be used            (also a ValueError)
├── FormatError               an output is not of the form wanted  (also a ValueError); carries ``text line column``
├── ModelNotFound             no model under that name
├── NotStarted                called before ``start()``
├── EnvironmentFailed         a backend's environment cannot be built or used
├── PluginError               a plugin is missing or broken
├── JobError                  about one job; carries ``job_id``
│   ├── JobNotFound
│   └── JobFailed             carries ``exit_code`` and ``log_tail``
└── EndpointError             about one request; carries ``source model status request_id``
    ├── AuthenticationFailed
    ├── ModelUnknown
    ├── ContextTooLong
    ├── RateLimited
    │   └── QuotaExhausted    waiting does not help
    ├── ContentFiltered
    ├── BadRequest
    ├── EndpointTimeout
    ├── ServerError           a served function raised; carries ``type traceback``
    ├── EndpointDown          nobody answers, or the engine died; carries ``log_tail``
    └── StreamBroken          the answer broke off; carries ``partial``
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from .log_excerpt import excerpt


class WorkbenchError(Exception):
    """Base of all errors: what failed, the likely cause, the next thing to type.

    Parameters
    ----------
    what : str
        What failed, one sentence.
    cause : str, optional
        The likely cause.
    fix : str, optional
        The next thing to do or type.
    """

    def __init__(self, what: str, cause: str = "", fix: str = "") -> None:
        super().__init__(what, cause, fix)
        self.what, self.cause, self.fix = what, cause, fix

    def __str__(self) -> str:
        lines = [self.what]
        if self.cause:
            lines.append(f"Cause: {self.cause}")
        if self.fix:
            lines.append(f"Fix: {self.fix}")
        return "\n".join(lines)

    def _render_traceback_(self) -> list[str]:
        from .short_traceback import rendered

        return rendered(self)


class SettingsError(WorkbenchError):
    """A setting or variable is wrong or missing."""


class ArgumentError(WorkbenchError, ValueError):
    """A bad or unknown argument."""


class DoesNotFit(ArgumentError):
    """A model needs more memory than is free."""


class FlowArgumentError(ArgumentError, AssertionError):
    """A bad argument or input of a flow."""


class FlowError(WorkbenchError, RuntimeError):
    """A flow is built, or called, in a way that cannot work."""


class DataError(WorkbenchError, ValueError):
    """A data set cannot be used; the message names file and line."""


class FormatError(WorkbenchError, ValueError):
    """An output is not of the form that a formatter wants.

    Attributes
    ----------
    text : str
        The output.
    line, column : int or None
        Where in it the trouble is, both from 1; None where no place can be named.
    """

    def __init__(self, what: str, cause: str = "", fix: str = "", *, text: str = "", line: int | None = None, column: int | None = None) -> None:
        super().__init__(what, cause, fix)
        self.text, self.line, self.column = text, line, column


class ModelNotFound(WorkbenchError):
    """No model under that name; the message names the settings that would find it."""


class NotStarted(WorkbenchError):
    """A module was called before ``start()``."""


class EnvironmentFailed(WorkbenchError):
    """A backend's environment cannot be built or used."""


class PluginError(WorkbenchError):
    """A registered part is missing or cannot be loaded."""


def _last_lines(log: str, whole: str, known: str = "") -> str:
    """The end of a message: what the log said of it that the message has not said, and where the rest is."""
    if not log:
        return ""
    lines, cut = excerpt(log, known=known)
    if not lines:
        return f"\n(The log is in {whole})"
    return f"\nLast log lines:\n{lines}" + (f"\n(shortened; the log is in {whole})" if cut else "")


class JobError(WorkbenchError):
    """About one job."""

    def __init__(self, what: str, cause: str = "", fix: str = "", *, job_id: str = "") -> None:
        super().__init__(what, cause, fix)
        self.job_id = job_id


class JobNotFound(JobError):
    """No job with that id or name."""


class JobFailed(JobError):
    """A job ended without success."""

    def __init__(
        self,
        what: str,
        cause: str = "",
        fix: str = "",
        *,
        job_id: str = "",
        exit_code: int | None = None,
        log_tail: str = "",
    ) -> None:
        super().__init__(what, cause, fix, job_id=job_id)
        self.exit_code, self.log_tail = exit_code, log_tail

    def __str__(self) -> str:
        whole = f"workbench.job({self.job_id!r}).logs()" if self.job_id else ".logs()"
        said = super().__str__()
        return said + _last_lines(self.log_tail, whole, said)


class EndpointError(WorkbenchError):
    """About one request to one endpoint."""

    def __init__(
        self,
        what: str,
        cause: str = "",
        fix: str = "",
        *,
        source: str = "",
        model: str = "",
        status: int | None = None,
        request_id: str = "",
        retry_after: float | None = None,
        log_tail: str = "",
        partial: str = "",
    ) -> None:
        super().__init__(what, cause, fix)
        self.source, self.model, self.status, self.request_id = source, model, status, request_id
        self.retry_after, self.log_tail, self.partial = retry_after, log_tail, partial

    def __str__(self) -> str:
        text = super().__str__()
        vendor = self.source not in ("", "local") and self.source not in text
        told = (
            f"source {self.source}" if vendor else "",
            f"model {self.model}" if self.model and (self.status or self.request_id or vendor) else "",
            f"HTTP {self.status}" if self.status else "",
            f"id {self.request_id}" if self.request_id else "",
        )
        if any(told):
            text += f"\nRequest: {', '.join(filter(None, told))}"
        return text + _last_lines(self.log_tail, "m.deployment.logs()", text)


class AuthenticationFailed(EndpointError):
    """The key is missing or refused."""


class ModelUnknown(EndpointError):
    """The endpoint does not serve that model."""


class ContextTooLong(EndpointError):
    """The prompt does not fit the model's context."""


class RateLimited(EndpointError):
    """Too many requests, or the quota is used up."""


class QuotaExhausted(RateLimited):
    """The account's quota or balance is used up; waiting does not help."""


class ContentFiltered(EndpointError):
    """The vendor's filter refused the request."""


class BadRequest(EndpointError):
    """The endpoint refused the request's form or arguments."""


class EndpointTimeout(EndpointError):
    """No answer in time."""


class ServerError(EndpointError):
    """A served function raised an error that has no counterpart here; ``type`` is its name, ``traceback`` the server's text."""

    def __init__(self, what: str, cause: str = "", fix: str = "", *, type: str = "", traceback: str = "", **details: Any) -> None:
        super().__init__(what, cause, fix, **details)
        self.type, self.traceback = type, traceback

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}\nIn the server:\n{self.traceback}" if self.traceback else text


class EndpointDown(EndpointError):
    """Nobody answers at the address, or the engine died."""


class StreamBroken(EndpointError):
    """The answer broke off; ``partial`` holds what came."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like ``name``, or ``""``."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def unknown_argument(where: str, name: str, known: Iterable[str]) -> ArgumentError:
    """The error for an argument nobody knows, naming the nearest known one."""
    names = sorted(set(known))
    near = nearest(name, names)
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return ArgumentError(
        f"{where} does not know the argument {name!r}.",
        "" if not near else f"{near!r} is the nearest name it knows.",
        f"Write {near}=…" if near else f"It knows: {shown or 'no arguments'}.",
    )


def unwritable(path: object, cause: str) -> SettingsError:
    """The error for a home that cannot be written."""
    return SettingsError(f"The workbench cannot write {path}.", f"{cause}.", "Set WORKBENCH_HOME to a folder on a disk that you can write.")
