"""The user's settings: ``WORKBENCH_*`` variables, then the ``LAZYLLM_*`` names people already have, then ``.env``.

Keys of vendors are not settings and never pass through here.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from platformdirs import user_data_path
from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from .callable_module import callable_module
from .errors import unwritable


def _names(name: str, *others: str) -> AliasChoices:
    return AliasChoices(f"WORKBENCH_{name}", f"LAZYLLM_{name}", *others)


class Settings(BaseSettings):
    """All settings, read once per change of the environment (see `settings`).

    Attributes
    ----------
    home : Path
        Where jobs, environments, models and the database live.
    model_path : str
        Folders to look for models in, separated like ``PATH``.
    model_cache_dir : Path or None
        Where downloaded models go; ``home/models`` when not set.
    model_source : str
        ``huggingface`` or ``modelscope``.
    train_target_root : Path or None
        Where fine-tuned models go; ``home/finetuned`` when not set.
    env_dir : Path or None
        Where backends' environments are built; ``home/envs`` when not set.
    torch : str
        Which torch the environments take: ``auto`` (look at the GPU), ``cpu``, ``cu128``, … or a version.
    default_launcher : str
        Where commands run; ``local``.
    """

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    home: Path = Field(default_factory=lambda: user_data_path("jupyter-llm-workbench", appauthor=False), validation_alias=_names("HOME"))
    model_path: str = Field("", validation_alias=_names("MODEL_PATH"))
    model_cache_dir: Path | None = Field(None, validation_alias=_names("MODEL_CACHE_DIR"))
    model_source: str = Field("huggingface", validation_alias=_names("MODEL_SOURCE"))
    train_target_root: Path | None = Field(None, validation_alias=_names("TRAIN_TARGET_ROOT"))
    env_dir: Path | None = Field(None, validation_alias=AliasChoices("WORKBENCH_ENV_DIR"))
    torch: str = Field("auto", validation_alias=AliasChoices("WORKBENCH_TORCH"))
    default_launcher: str = Field("local", validation_alias=_names("DEFAULT_LAUNCHER"))

    def folder(self, *parts: str) -> Path:
        """A folder under `home`, made when missing, readable by the user only. Raises `SettingsError` where none can be made."""
        home = Path(self.home).expanduser().absolute()
        path = home.joinpath(*parts)
        try:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as e:
            raise unwritable(path, e.strerror or str(e)) from None
        return path

    @property
    def models_dir(self) -> Path:
        """Where downloaded models go."""
        return Path(self.model_cache_dir).expanduser() if self.model_cache_dir else self.folder("models")

    @property
    def envs_dir(self) -> Path:
        """Where backends' environments are built."""
        return Path(self.env_dir).expanduser() if self.env_dir else self.folder("envs")

    @property
    def target_root(self) -> Path:
        """Where fine-tuned models go."""
        return Path(self.train_target_root).expanduser() if self.train_target_root else self.folder("finetuned")


@lru_cache(maxsize=4)
def _read(key: tuple[tuple[str, str], ...], dotenv: tuple[str, int, int]) -> Settings:
    return Settings()  # type: ignore[call-arg]  # every field has a default; the aliases hide that from mypy


def settings() -> Settings:
    """The settings as the environment and ``.env`` say now; a change of either is seen by the next call."""
    env = tuple(sorted((k, v) for k, v in os.environ.items() if k.upper().startswith(("WORKBENCH_", "LAZYLLM_"))))
    try:
        stat = os.stat(".env")
        dotenv = (os.getcwd(), stat.st_mtime_ns, stat.st_size)
    except OSError:
        dotenv = (os.getcwd(), 0, 0)
    return _read(env, dotenv)


callable_module(__name__)
