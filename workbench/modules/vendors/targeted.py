"""`Targeted`: what every module of a vendor's model says of itself. Does not know what the model does."""

from __future__ import annotations

from ...core.endpoints import Endpoint
from ...core.providers import Provider
from ..base import ModuleBase
from .online_endpoint import OnlineTarget


class Targeted(ModuleBase):
    """A module that answers where an `OnlineTarget` says."""

    _target: OnlineTarget

    @property
    def endpoint(self) -> Endpoint:
        """Where it answers."""
        return self._target.endpoint

    @property
    def provider(self) -> Provider:
        """What is known of its vendor."""
        return self._target.provider

    @property
    def source(self) -> str:
        """The vendor's name."""
        return self._target.endpoint.source

    @property
    def series(self) -> str:
        """The vendor's name, as older code calls it."""
        return self.source

    @property
    def model(self) -> str:
        """The vendor's name of the model."""
        return self.endpoint.model

    @property
    def base_url(self) -> str:
        """Where it answers."""
        return self._target.endpoint.url

    @property
    def name(self) -> str:
        """What people see: the model's name."""
        return self._name or self.model

    @name.setter
    def name(self, value: str) -> None:
        self._name = value
