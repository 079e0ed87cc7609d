"""The extension as Jupyter Server knows it: its settings, its routes, the life of its pump."""

from __future__ import annotations

from typing import Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Float

from .events import SCHEMA, Pump
from .handlers import ROUTES
from .jobs_view import JobsView


class WorkbenchApp(ExtensionApp):
    """``jupyter server`` and ``jupyter lab`` load it by themselves once the package is installed."""

    name = "workbench"
    app_name = "Workbench"
    description = "Jobs, deployments, models and the machine of jupyter-llm-workbench."
    load_other_extensions = True
    poll_interval = Float(0.2, help="Seconds between looks at the store while somebody watches.").tag(config=True)

    def initialize_settings(self) -> None:
        assert self.serverapp is not None
        events = self.serverapp.event_logger
        assert events is not None  # made before any extension is
        if SCHEMA["$id"] not in events.schemas:
            events.register_event_schema(SCHEMA)
        view = JobsView()

        def emit(data: dict[str, Any]) -> None:
            events.emit(schema_id=SCHEMA["$id"], data=data)

        self.pump = Pump(view, emit, self.poll_interval)
        self.settings.update(workbench_view=view, workbench_pump=self.pump)

    def initialize_handlers(self) -> None:
        self.handlers.extend(ROUTES)

    async def stop_extension(self) -> None:
        await self.pump.stop()
