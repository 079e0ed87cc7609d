"""Runs ``transformers serve`` with a guard before it: ``serve_transformers.py SPEC.json``.

transformers' server asks for no key, so the guard does. It is put around the application where uvicorn takes it, which
leaves transformers itself as it is. Standard library, and what the environment ``transformers`` has.
"""

from __future__ import annotations

import inspect
import json
import sys
import time
import traceback
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import engine_progress, serving, transformers_form, transformers_sampling, transformers_still
    from .body_limit import Bounded
    from .metrics_app import Counted
    from .serve_tokens import CHATS, Dress, Dressed
    from .serving_guard import Guard
else:
    import engine_progress
    import serving
    import transformers_form
    import transformers_sampling
    import transformers_still
    from body_limit import Bounded
    from metrics_app import Counted
    from serve_tokens import CHATS, Dress, Dressed
    from serving_guard import Guard

OPTIONS = {  # what clients must know: it ignores schemas and constraints, so that a schema is told in words and the others are refused
    "engine": "transformers",
    "tokens": "workbench",
    "response_format": "none",
    "constraints": "none",
    "nest": {"enable_thinking": "chat_template_kwargs"},
}
ON_CPU = {"device": "cpu", "cb_block_size": 32, "cb_num_blocks": 256, "cb_max_batch_tokens": 512}


def main() -> None:
    with open(sys.argv[1]) as f:
        spec = json.load(f)
    sys.path.pop(0)  # this folder's modules are not for the engine
    serving.begin()
    key = serving.key()
    if not key:
        serving.fail("There is no key to guard the server with.")
    serving.report("progress", phase="load", text="Importing transformers")
    try:
        serve = guarded(key, dress_of(spec), spec)
        given = arguments(serve, spec)
    except Exception as e:
        traceback.print_exc()
        serving.fail(str(e), type(e).__name__)
    port = serving.port(int(spec.get("port") or 0))
    serving.report("progress", phase="load", text=f"Loading {spec['served_name']}")
    url = f"http://127.0.0.1:{port}"
    with engine_progress.listening("torch"):
        serving.in_background(lambda: run(serve, force_model=spec["model"], host="127.0.0.1", port=port, **given))
        wait_until_healthy(url)
    warm_up(url, key, spec["served_name"])
    serving.report("ready", url=f"{url}/v1", model=spec["served_name"], options=OPTIONS)
    serving.watch(url, key, "workbench", float(spec.get("ttl") or 0))
    serving.wait_for_end()


def dress_of(spec: dict[str, Any]) -> Dress:
    """What is changed of transformers' server for this model."""
    template = ""
    if spec.get("chat_template"):
        with open(spec["chat_template"], encoding="utf-8") as f:
            template = f.read()
    return Dress(template, spec.get("generation"), spec.get("fields"))


def guarded(key: str, dress: Dress, spec: dict[str, Any]) -> Callable[..., object]:
    """``transformers serve``, with the guard around whatever it gives to uvicorn."""
    import uvicorn
    from transformers.cli.serve import Serve

    transformers_still.put_on()
    dress.put_on()
    transformers_sampling.put_on()
    transformers_form.put_on(spec["model"])

    class Guarded(uvicorn.Config):
        def __init__(self, app: Any, **kwargs: Any) -> None:
            inside = Bounded(Dressed(Counted(transformers_sampling.Asked(app, CHATS)), dress))
            super().__init__(Guard(transformers_form.OpenAIForm(inside, spec["served_name"], spec["model"]), key), **kwargs)

    uvicorn.Config = Guarded  # type: ignore[misc, assignment]  # nothing else reaches the application before it is served
    return Serve  # type: ignore[no-any-return]  # transformers is only known where this runs


def arguments(serve: Callable[..., object], spec: dict[str, Any]) -> dict[str, Any]:
    """What fits this machine, then the user's arguments; refuses those that this version does not know."""
    import torch

    known = inspect.signature(serve).parameters
    here = {} if torch.cuda.is_available() or torch.backends.mps.is_available() else ON_CPU
    given = {"continuous_batching": True, **here, **(spec.get("arguments") or {})}
    if not given["continuous_batching"]:
        given = {k: v for k, v in given.items() if not k.startswith("cb_")}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"this version of transformers serve does not know {', '.join(unknown)}")
    return given


def run(serve: Callable[..., object], **given: Any) -> None:
    """Serve until the process ends; an error ends it."""
    try:
        serve(**given)
    except BaseException as e:
        traceback.print_exc()
        serving.fail(str(e) or type(e).__name__, type(e).__name__)
    serving.fail("transformers serve ended by itself.")


def wait_until_healthy(url: str) -> None:
    """Until the server answers; it does when the weights are loaded."""
    while True:
        try:
            with serving.DIRECT.open(f"{url}/health", timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)


def warm_up(url: str, key: str, model: str) -> None:
    """One token, so that the first caller does not wait for what is made on the first call. A model without a chat template may refuse."""
    serving.report("progress", phase="load", text="Warming up")
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    try:
        with serving.DIRECT.open(urllib.request.Request(f"{url}/v1/chat/completions", body, headers), timeout=300) as answer:
            answer.read()
    except (urllib.error.URLError, OSError) as e:
        print(f"The warm-up was refused: {e}", flush=True)


if __name__ == "__main__":
    main()
