"""What every test of the runtime may ask for."""

from ..support.job_helpers import submit  # noqa: F401
