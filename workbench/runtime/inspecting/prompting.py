"""The exact prompt of a model and its tokens: asked of the server that runs it where that can tell, else made here, with the model's own
chat template and tokenizer in processes of their own. Knows no module.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ... import registry
from ...core.endpoints import Endpoint, Timeouts
from ...core.messages import ChatRequest, Message
from ...core.prompting import Prompted, PromptRequest, readable
from ...envs import ensure, installed
from ...errors import ArgumentError, BadRequest, EndpointError, EnvironmentFailed
from .. import loop
from ..network import calls, http
from . import rendering
from .chat_templates import ChatTemplate, template_of

CODECS = {"vllm": "prompt_vllm", "sglang": "prompt_sglang", "workbench": "prompt_vllm", "llama_cpp": "prompt_llama_cpp"}
_SIGNS = (("/props", "llama_cpp", "default_generation_settings"), ("/version", "vllm", "version"), ("/get_model_info", "sglang", "is_generation"))
_RUNNER = Path(__file__).resolve().parents[2] / "runners" / "tokenize_text.py"
_HAVE_TOKENIZERS = ("tokens", "transformers", "llamafactory", "gguf", "flagembedding", "vllm")
_SECONDS = 120.0
_NO_TEMPLATE = ("chat_template is not set", "default chat template is no longer allowed", "no chat template")
_RAISED = re.compile(r"(?:jinja2\.exceptions\.\w*(?:TemplateError|UndefinedError)|Error rendering (?:prompt|chat) \w*template\S*): (.+)")
_WORD = Timeouts(connect=3.0, first_byte=10.0, total=15.0)


def request_of(messages: Sequence[Message], tools: Sequence[Mapping[str, Any]], variables: Mapping[str, Any]) -> PromptRequest:
    """The question for the prompt of a call, with turns and tools in the form in which they are sent."""
    body = registry.get("dialect", "openai_chat")({}).encode(ChatRequest(tuple(messages), "", tuple(tools))).json
    return PromptRequest("render", tuple(body["messages"]), tools=tuple(body.get("tools") or ()), variables=dict(variables))


# ---- the server's answer


def flavour_of(endpoint: Endpoint) -> str:
    """How a server is asked, a key of `CODECS`; empty where it cannot be. One that is not ours is tried."""
    if endpoint.options.get("tokens"):
        return str(endpoint.options["tokens"])
    if endpoint.job_id or endpoint.dialect not in ("openai_chat", "vllm_generate"):
        return ""
    return loop.run(_flavour(replace(endpoint, url=root_of(endpoint.url))))


async def _flavour(endpoint: Endpoint) -> str:
    for path, name, sign in _SIGNS:
        try:
            async with http.send("GET", endpoint.url + path, None, _key(endpoint), connect_timeout=3.0, network=endpoint.network) as answer:
                said = json.loads(await answer.text()) if answer.status == 200 else None
        except (http.ConnectFailed, http.Disconnected, http.NotHttp, ValueError):
            continue
        if isinstance(said, dict) and sign in said:
            return name
    return ""


def _key(endpoint: Endpoint) -> dict[str, str]:
    from ..secrets.keys import credentials_of

    key = credentials_of(endpoint).get("key")
    return {"Authorization": f"Bearer {key}"} if key else {}


def asked(endpoint: Endpoint, flavour: str, request: PromptRequest) -> Prompted:
    """The server's answer.

    Raises
    ------
    ArgumentError
        When the model's chat template refuses the messages.
    EndpointError
        When the server cannot be asked.
    """
    at = replace(endpoint, url=root_of(endpoint.url), options={})
    try:
        found = calls.call(at, CODECS[flavour], replace(request, model=endpoint.model))
    except EndpointError as e:
        if request.want == "detokenize" and e.status in (400, 500):  # some servers look a number up without asking whether it is there
            raise ArgumentError("These are no tokens of this model.", e.cause, "Give numbers that tokenize() gave.") from None
        if isinstance(e, BadRequest) and request.messages is not None:
            raise refused(e.cause or e.what) from e
        raise
    return _checked(found)


def root_of(url: str) -> str:
    """The address without ``/v1``."""
    return url.rstrip("/").removesuffix("/v1")


def _checked(found: Any) -> Prompted:
    if not isinstance(found, Prompted):
        raise TypeError(f"no answer about a prompt: {found!r}")
    return found


# ---- made here


def made(model: Path, request: PromptRequest, template: str = "") -> Prompted:
    """The answer without a server.

    Parameters
    ----------
    model : Path
        A folder or a GGUF file.
    template : str
        Jinja that stands for the model's own.

    Raises
    ------
    ArgumentError
        When there is no chat template, or it refuses the messages.
    EnvironmentFailed
        When there is no interpreter that can read the tokenizer.
    """
    text = request.text
    if request.messages is not None:
        text = _rendered(model, request, template)
        if request.want == "render":
            return Prompted(text)
    if request.want == "detokenize":
        return Prompted(_tokenizer(model, [], [list(request.ids)])["texts"][0], request.ids)
    found = _tokenizer(model, [text], [])
    pieces = found["pieces"][0]
    return Prompted(text, tuple(found["tokens"][0]), readable(pieces) if found["raw"] else tuple(pieces))


def _rendered(model: Path, request: PromptRequest, template: str) -> str:
    own = template_of(model)
    if template:
        own = ChatTemplate(template, own.special, "", "chat_template=")
    text = own.for_tools(request.tools)
    if not text:
        raise ArgumentError(f"{model.name} has no chat template.", f"None was found in {model}.", no_template_fix())
    found = rendering.render(text, own.special, [request])[0]
    if found.error:
        where = f" (line {found.line})" if found.line else ""
        raise ArgumentError("The chat template refuses these messages.", f"It says{where}: {found.error}", "Change them, or name another template.")
    return found.text


def refused(said: str) -> ArgumentError:
    """The error for messages that a chat template does not take."""
    if any(words in said for words in _NO_TEMPLATE) or "has no chat template" in said:
        return ArgumentError("The model has no chat template.", said, no_template_fix())
    return ArgumentError("The model's chat template refuses these messages.", said, "Change them, or name another template.")


def blame_template(error: EndpointError) -> bool:
    """Whether a request failed for its chat template; the error then says so. Some engines tell it in their log only."""
    if error.status not in (400, 500):
        return False
    said = f"{error.cause}\n{error.log_tail if error.status == 500 else ''}"
    if any(words in said for words in _NO_TEMPLATE):
        error.what, error.cause, error.fix = "The model has no chat template.", "Its engine cannot make a prompt of messages.", no_template_fix()
    elif found := _RAISED.findall(said):
        error.what, error.cause, error.fix = "The model's chat template refuses these messages.", found[-1], "Change them, or name another template."
    else:
        return False
    error.log_tail = ""
    return True


def no_template_fix() -> str:
    """What to type where a model has no chat template."""
    return "Name one: deploy_method(…, chat_template='chatml'), or the path of a .jinja file."


def _tokenizer(model: Path, texts: list[str], ids: list[list[int]]) -> dict[str, Any]:
    file = _tokenizer_file(model)
    python = _interpreter(file)
    request = {"model": str(file), "texts": texts, "ids": ids}
    try:
        done = subprocess.run(
            [str(python), "-I", "-B", str(_RUNNER)],
            input=json.dumps(request).encode("utf-8", "surrogatepass"),
            capture_output=True,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"},
            timeout=_SECONDS,
            start_new_session=True,
        )
        found = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as e:
        raise EnvironmentFailed(
            f"The tokenizer of {model.name} cannot be used.",
            f"{python} did not answer: {type(e).__name__}.",
            "Start the model: its engine then counts.",
        ) from None
    if "error" in found:
        if ids and "the vocabulary has" in found["error"]:
            raise ArgumentError("These are no tokens of this model.", found["error"].partition(": ")[2], "Give numbers that tokenize() gave.")
        raise EnvironmentFailed(f"The tokenizer of {model.name} cannot be used.", str(found["error"]), "Start the model: its engine then counts.")
    return dict(found)


def _tokenizer_file(model: Path) -> Path:
    """What the tokenizer's process is told: the folder, or the GGUF file where there is nothing else."""
    if model.is_dir() and not any((model / n).exists() for n in ("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.txt")):
        ggufs = [g for g in sorted(model.glob("*.gguf")) if not g.name.startswith("mmproj")]
        return ggufs[0] if ggufs else model
    return model


def _interpreter(file: Path) -> Path:
    if file.suffix == ".gguf":
        return ensure("llama_cpp")
    fits = _HAVE_TOKENIZERS if (file / "tokenizer.json").exists() else _HAVE_TOKENIZERS[1:]
    return ensure(next((name for name in fits if installed(name)), fits[0]))
