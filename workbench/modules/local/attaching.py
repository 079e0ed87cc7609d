"""``deploy_method(…, url=…)``: from an address that the user gave to an endpoint. What the user left out, the name of the model or ``/v1``,
is asked of the server, where it answers already; else at the first call. Starts nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from urllib.parse import SplitResult, urlsplit, urlunsplit

from ...core.endpoints import Endpoint, Timeouts
from ...core.jobs import JobState
from ...errors import ArgumentError, AuthenticationFailed, EndpointDown, EndpointError, EndpointTimeout
from .deploy_arguments import ATTACHING
from .methods import Method

OPENAI = "openai_chat"
_PATHS = {  # what people copy from examples, and the type of model that is asked there
    "/chat/completions": "",
    "/completions": "",
    "/responses": "",
    "/models": "",
    "/embeddings": "embed",
    "/rerank": "rerank",
    "/audio/transcriptions": "stt",
    "/audio/speech": "tts",
    "/images/generations": "sd",
    "/images/edits": "image_editing",
}
_RAW = {"/generate_stream": "lightllm_generate", "/generate": "vllm_generate"}
_OWN_FORMS = {"lightllm": "lightllm_generate", "lmdeploy": "lmdeploy_generate", "sglang": "sglang_generate"}  # of engines that were named
_QUICK = Timeouts(connect=2.0, first_byte=5.0, gap=5.0, total=8.0)


def attached(url: str, model: str, method: Method) -> tuple[Endpoint, str]:
    """The endpoint at an address the user gave, and the type of model that the address tells; empty where it tells none.

    ``…/v1/``, ``…/v1/chat/completions`` and the like are OpenAI's form, ``…/generate`` is vLLM's own, or that of LightLLM, LMDeploy or SGLang
    where that was named. The address of one of our own deployments, in whichever process it was started, brings its key along.

    Raises
    ------
    ArgumentError
        For what is no address, for other arguments, and where the server lists several models and none was named.
    AuthenticationFailed
        When the server wants a key, or another one.
    """
    others = sorted(set(method.arguments) - ATTACHING)
    if others:
        raise ArgumentError(f"url= attaches to a server that runs already; {', '.join(others)} cannot be set there.", "", "Leave them out.")
    base, dialect, kind = form_of(url, method.name)
    own = _own_deployment(base) or _own_deployment(f"{base}/v1")
    if own is not None:
        return own, kind
    key_env, key_ref = str(method.arguments.get("key_env") or ""), str(method.arguments.get("api_key") or "")
    endpoint = Endpoint(base, model, dialect, key_env=key_env, key_ref=key_ref, source=urlsplit(base).netloc)
    if model and _versioned(base):
        return endpoint, kind  # there is nothing to find out
    try:
        return settled(endpoint), kind
    except (EndpointDown, EndpointTimeout):
        return endpoint, kind  # it may not be up yet: the first call asks again


def form_of(url: str, engine: str = "") -> tuple[str, str, str]:
    """The base address, the dialect and the type of model that an address tells."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ArgumentError(f"{url!r} is no address.", "", "Write it like http://127.0.0.1:8000/v1/.")
    path = parts.path.rstrip("/")
    for tail, dialect in _RAW.items():
        if path.endswith(tail):
            return _joined(parts, path.removesuffix(tail)), _OWN_FORMS.get(engine, dialect), ""
    for tail, kind in _PATHS.items():
        if path.endswith(tail):
            return _joined(parts, path.removesuffix(tail)), OPENAI, kind
    return _joined(parts, path), OPENAI, ""


def settled(endpoint: Endpoint) -> Endpoint:
    """The endpoint under the name by which its server knows the model, and with ``/v1`` where that was left out.

    Raises
    ------
    ArgumentError
        Where the server lists several models and none was named.
    EndpointError
        Where nobody answers, or a key is wanted.
    """
    if endpoint.dialect != OPENAI:
        return endpoint
    try:
        found, names = _listed(endpoint)
    except AuthenticationFailed as e:
        raise _locked(endpoint, e) from None
    if not names:
        return found
    if endpoint.model:
        return replace(found, model=_meant(endpoint.model, names))
    names = _whole(found, names)
    if len(names) == 1:
        return replace(found, model=names[0])
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    raise ArgumentError(
        f"{endpoint.url} serves {len(names)} models.", f"They are {shown}.", f"Name one: TrainableModule({names[0]!r}).deploy_method(…)."
    )


def explained(error: EndpointError, endpoint: Endpoint) -> EndpointError:
    """A better fix for a refusal that tells of a missing chat template, a wrong address or a missing key."""
    from ...runtime.inspecting import prompting

    if prompting.blame_template(error) or endpoint.job_id:
        return error
    if error.status in (404, 405) and not error.fix.startswith("Name one"):
        if endpoint.dialect == OPENAI:
            error.fix = "Check the address: OpenAI's form ends in …/v1/, and vLLM's own in …/generate."
        else:
            if endpoint.dialect == "vllm_generate":
                error.cause = "vLLM had …/generate up to version 0.24, in a server of its own (vllm.entrypoints.api_server)."
            error.fix = f"Attach to its OpenAI form: deploy_method(…, url='{endpoint.url}/v1/')."
    elif isinstance(error, AuthenticationFailed):
        error.fix = _key_fix(endpoint)
    return error


def _listed(endpoint: Endpoint) -> tuple[Endpoint, list[str]]:
    """The endpoint at the address that lists models, and these; the given address and no names where none does."""
    from ...runtime.network import calls

    places = [endpoint.url] if _versioned(endpoint.url) else [endpoint.url, f"{endpoint.url}/v1"]
    for url in places:
        at = replace(endpoint, url=url, network=replace(endpoint.network, max_retries=0))
        try:
            if names := calls.models(at, _QUICK):
                return replace(endpoint, url=url), names
        except (AuthenticationFailed, EndpointDown, EndpointTimeout):
            raise
        except EndpointError:  # it lists none here
            continue
    return endpoint, []


def _whole(endpoint: Endpoint, names: list[str]) -> list[str]:
    """The names of models, without those of adapters that a server lists beside them."""
    from ...runtime.deployments.adapters import adapters

    if len(names) == 1:
        return names
    try:
        beside = adapters(endpoint)
    except EndpointError:
        return names
    return [n for n in names if n not in beside] or names


def _versioned(url: str) -> bool:
    last = PurePosixPath(urlsplit(url).path).name
    return last.startswith("v") and last[1:2].isdigit()


def _meant(model: str, names: list[str]) -> str:
    """The server's name for a model that people call by its name on the hub or its path."""
    if model in names:
        return model
    last = model.rstrip("/").rpartition("/")[2].lower()
    alike = [n for n in names if n.rstrip("/").rpartition("/")[2].lower() == last]
    if len(alike) == 1:
        return alike[0]
    return names[0] if len(names) == 1 else model  # a gateway may know more than it lists; its refusal will tell


def _locked(endpoint: Endpoint, error: AuthenticationFailed) -> AuthenticationFailed:
    error.what = f"{endpoint.url} asks for a key." if not (endpoint.key_env or endpoint.key_ref) else f"{endpoint.url} refuses the key."
    error.fix = _key_fix(endpoint)
    return error


def _key_fix(endpoint: Endpoint) -> str:
    if endpoint.key_env:
        return f"Set the variable {endpoint.key_env} to a valid key."
    if endpoint.key_ref:
        return "Give a valid api_key=."
    return "Set a variable to the key and write deploy_method(…, key_env='ITS_NAME'), or give api_key=."


def _joined(parts: SplitResult, path: str) -> str:
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def _own_deployment(base: str) -> Endpoint | None:
    from ...runtime.deployments.endpoints import endpoint_of
    from ...runtime.work import jobs

    for record in jobs.store().jobs(kind="deploy", active=True):
        if record.state is JobState.RUNNING and record.endpoint and str(record.endpoint.get("url", "")).rstrip("/") == base:
            return endpoint_of(record)
    return None
