"""Models from Hugging Face and ModelScope, with their own libraries, resumed where they broke off. An optional extra.

Both libraries read their own variables (``HF_ENDPOINT``, ``HF_TOKEN``, ``HF_HUB_OFFLINE``, ``MODELSCOPE_CACHE``); a token never
passes through here.
"""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from ...core.jobs import Progress
from ...errors import ModelNotFound
from ...settings import settings

_PACKAGES = {"huggingface": "huggingface_hub", "modelscope": "modelscope"}
_OTHER_FORMS = ["*.h5", "*.msgpack", "*.onnx", "*.ot", "*.tflite", "onnx/*", "original/*", "*.pth"]
_CONNECTION = "Check the connection (behind a mirror: HF_ENDPOINT), or give an absolute path, or set WORKBENCH_MODEL_PATH."
_LOOK_SECONDS = 0.5


def fetch(name: str, source: str, on_progress: Callable[[Progress], None] | None = None) -> Path:
    """Download a model, or find it downloaded.

    Parameters
    ----------
    name : str
        ``organisation/name`` at the hub.
    source : str
        ``huggingface`` or ``modelscope``.
    on_progress : callable, optional
        Gets bytes done and in all, twice a second.

    Raises
    ------
    ModelNotFound
        When the hub's library is missing, or the hub does not give the model.
    """
    target = settings().models_dir / source / name
    if target.is_dir():
        return target.absolute()
    try:
        library = importlib.import_module(_PACKAGES[source])
    except ImportError:
        raise ModelNotFound(
            f"{name!r} is not on this machine, and downloading needs a package.",
            f"{_PACKAGES[source]} is not installed.",
            'Type: pip install "jupyter-llm-workbench[hub]". Or give an absolute path, or set WORKBENCH_MODEL_PATH to the folder that holds it.',
        ) from None
    part = target.with_name(target.name + ".part")  # a folder under its own name is always whole
    part.mkdir(parents=True, exist_ok=True)
    with FileLock(part.with_suffix(".lock")):
        if target.is_dir():
            return target.absolute()
        ended = threading.Event()
        if on_progress is not None:
            threading.Thread(target=_tell, args=(name, part, _size(library, source, name), on_progress, ended), daemon=True).start()
        try:
            if source == "huggingface":
                library.snapshot_download(name, local_dir=str(part), ignore_patterns=_OTHER_FORMS)
            else:
                library.snapshot_download(name, local_dir=str(part))
        except Exception as e:
            raise _refused(name, source, e) from None
        finally:
            ended.set()
        part.rename(target)
    return target.absolute()


def _size(library: object, source: str, name: str) -> float | None:
    if source != "huggingface":
        return None
    try:
        info = library.HfApi().model_info(name, files_metadata=True)  # type: ignore[attr-defined]  # an optional package
        wanted = (f for f in info.siblings if not any(Path(f.rfilename).match(p) for p in _OTHER_FORMS))
        return float(sum(f.size or 0 for f in wanted)) or None
    except Exception:  # a download without a known size is still a download
        return None


def _tell(name: str, folder: Path, total: float | None, on_progress: Callable[[Progress], None], ended: threading.Event) -> None:
    while not ended.wait(_LOOK_SECONDS):
        done = float(sum(p.stat().st_blocks * 512 for p in folder.rglob("*") if p.is_file()))
        on_progress(Progress("download", f"Downloading {name}", min(done, total) if total else done, total, "bytes"))


def _refused(name: str, source: str, error: Exception) -> ModelNotFound:
    kind = type(error).__name__
    if kind == "RepositoryNotFoundError" and not os.environ.get("HF_TOKEN"):  # the hub says so of private models as well
        fix = "Check the name, organisation/name; of a private one set HF_TOKEN. The other hub is asked with source='modelscope' or 'huggingface'."
    elif "Gated" in kind or "401" in str(error) or "403" in str(error):
        fix = "Ask for access on its page, and set HF_TOKEN." if source == "huggingface" else "Ask for access on its page."
    elif kind == "LocalEntryNotFoundError" or "Connect" in str(error):  # huggingface's word for: nobody answered, and nothing is kept here
        fix = _CONNECTION
    elif "NotFound" in kind or "NotExist" in kind or "404" in str(error):
        fix = "Check the name; the other hub is asked with source='modelscope' or 'huggingface'."
    else:
        fix = _CONNECTION
    return ModelNotFound(f"{source} did not give {name!r}.", f"{kind}: {str(error).splitlines()[0][:300] if str(error) else ''}", fix)
