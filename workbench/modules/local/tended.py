"""`Tended`: a module and its deployment, once that is there: asked how it is, started anew. Does not choose or start one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ...core.jobs import JobState
from ...errors import NotStarted
from ..base import ModuleBase
from .serving import Serving

if TYPE_CHECKING:
    from ...runtime.deployments.deployment import Deployment
    from ...runtime.deployments.health import Health


class Tended(ModuleBase):
    """A module that answers through a deployment; ``_serving`` is shared by all its faces."""

    _serving: Serving

    @property
    def deployment(self) -> Deployment | None:
        """The deployment's job, from the moment `start` asked for it; None before, and where the address was given by hand."""
        if not self._serving.shown_id:
            return None
        from ...runtime.deployments.deployment import Deployment

        return Deployment(self._serving.shown_id)

    def health(self, limit: float = 2.0) -> Health:
        """Ask the server how it is.

        Parameters
        ----------
        limit : float
            Seconds to wait for an answer.

        Raises
        ------
        NotStarted
            When there is nothing to ask.
        """
        from ...runtime.deployments.health import of_address

        if (deployment := self.deployment) is not None:
            return deployment.health(limit)
        if self._serving.endpoint is None:
            raise NotStarted(f"{self.name} is not deployed.", "There is nothing to ask.", "Type start() on it first.")
        return of_address(self._serving.endpoint, limit)

    def restart(self, *, recursive: bool = True) -> Self:
        """Start the engine anew, for everybody who uses it, and wait until it answers.

        Where its deploy method was changed, or the deployment has ended, this is `stop` and `start`.

        Raises
        ------
        NotStarted
            When there is no deployment of ours to start anew.
        JobFailed
            When it does not come up again.
        """
        from ...runtime.work.front_end import StatusLine, describe

        for module in self.modules(recursive):
            if module is not self:
                module.restart(recursive=False)
        deployment = self.deployment
        if deployment is None:
            cause = "Somebody else runs its server." if self._serving.endpoint is not None else "There is nothing to start anew."
            raise NotStarted(f"{self.name} is not deployed.", cause, "Type start() on it first.")
        if deployment.state not in (JobState.PREPARING, JobState.RUNNING) or self._rechosen():
            self._again(deployment)
            return self
        line = StatusLine()
        try:
            deployment.restart(on_change=lambda record: line.show(f"{self.name} · {describe(record.progress)}"))
        except BaseException:
            line.clear()
            raise
        line.end(f"{self.name} was started anew")
        return self

    def _again(self, deployment: Deployment) -> None:
        """What `restart` does where there is nothing to start anew in place."""
        super().restart(recursive=False)

    def _rechosen(self) -> bool:
        """Whether what is to be deployed is no longer what is. A subclass knows."""
        return False
