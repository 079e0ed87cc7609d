"""Names → parts. Built-ins register as ``"module:attribute"`` strings, exactly as a plugin's entry point does, so that
nothing is imported before it is used. Does not know what any part does.

A plugin is a distribution with an entry point in the group ``workbench.<group>``; one that fails to load warns and
breaks nothing else.
"""

from __future__ import annotations

import importlib
import warnings
from importlib.metadata import entry_points
from typing import Any

from .errors import PluginError, nearest

BUILTIN: dict[str, dict[str, str]] = {
    "finetune": {
        "llamafactory": "workbench.finetune.llama_factory:LlamaFactory",
        "dummy": "workbench.finetune.dummy_trainer:DummyFinetune",
        "online": "workbench.finetune.online_finetune:OnlineFinetune",
    },
    "deploy": {
        "llama_cpp": "workbench.deploy.llama_cpp_server:LlamaCpp",
        "transformers": "workbench.deploy.transformers_serve:TransformersServe",
        "vllm": "workbench.deploy.vllm_server:VLLM",
        "lmdeploy": "workbench.deploy.lmdeploy_server:LMDeploy",
        "lightllm": "workbench.deploy.lightllm_server:LightLLM",
        "sglang": "workbench.deploy.sglang_server:SGLang",
        "diffusers": "workbench.deploy.diffusers_server:DiffusersServer",
        "speech": "workbench.deploy.speech_server:SpeechServer",
        "sensevoice": "workbench.deploy.sensevoice_server:SenseVoiceServer",
        "sentence_transformers": "workbench.deploy.sentence_transformers_server:SentenceTransformers",
        "infinity": "workbench.deploy.infinity_server:Infinity",
        "dummy": "workbench.deploy.dummy_server:DummyDeploy",
        "function": "workbench.deploy.function_server:FunctionServer",
    },
    "dialect": {
        "openai_chat": "workbench.dialects.openai_chat:OpenAIChat",
        "anthropic_messages": "workbench.dialects.anthropic_messages:AnthropicMessages",
        "gemini": "workbench.dialects.gemini:Gemini",
        "bedrock_converse": "workbench.dialects.bedrock_converse:BedrockConverse",
        "spark_socket": "workbench.dialects.spark_socket:SparkSocket",
        "vllm_generate": "workbench.dialects.vllm_generate:VllmGenerate",
        "lightllm_generate": "workbench.dialects.lightllm_generate:LightLLMGenerate",
        "sglang_generate": "workbench.dialects.sglang_generate:SGLangGenerate",
        "lmdeploy_generate": "workbench.dialects.sglang_generate:LMDeployGenerate",
    },
    "codec": {
        "plain": "workbench.dialects.plain:Plain",
        "embeddings": "workbench.dialects.embeddings:embeddings",
        "rerank": "workbench.dialects.rerank:rerank",
        "transcription": "workbench.dialects.transcription:transcription",
        "speech": "workbench.dialects.speech:speech",
        "images": "workbench.dialects.images:images",
        "image_edits": "workbench.dialects.images:image_edits",
        "prompt_vllm": "workbench.dialects.prompt_tokens:VllmTokens",
        "prompt_sglang": "workbench.dialects.prompt_tokens:SGLangTokens",
        "prompt_llama_cpp": "workbench.dialects.prompt_tokens:LlamaCppTokens",
    },
    "auth": {
        "bearer": "workbench.dialects.auth_headers:bearer",
        "google": "workbench.dialects.auth_headers:google",
        "azure": "workbench.dialects.auth_headers:azure",
        "azure_speech": "workbench.dialects.auth_headers:azure_speech",
        "volcengine_stt": "workbench.dialects.auth_headers:volcengine_stt",
        "volcengine_tts": "workbench.dialects.auth_headers:volcengine_tts",
        "sensenova": "workbench.dialects.auth_tokens:sensenova",
        "spark": "workbench.dialects.auth_tokens:spark",
        "spark_signed": "workbench.dialects.auth_tokens:spark_signed",
        "bedrock": "workbench.dialects.auth_aws:bedrock",
        "aws": "workbench.dialects.auth_aws:sign",
        "volcengine": "workbench.dialects.auth_volcengine:sign",
    },
    "training_form": {
        "openai": "workbench.finetune.vendor_openai:OpenAIForm",
        "glm": "workbench.finetune.vendor_openai:GlmForm",
        "qwen": "workbench.finetune.vendor_qwen:QwenForm",
        "sensenova": "workbench.finetune.vendor_sensenova:SenseNovaForm",
        "doubao": "workbench.finetune.vendor_doubao:DoubaoForm",
    },
    "formatter": {
        "json": "workbench.formatters.json_text:JsonFormatter",
        "jsonlike": "workbench.formatters.json_like:JsonLike",
        "yaml": "workbench.formatters.yaml_text:YamlFormatter",
        "python": "workbench.formatters.python_text:PythonFormatter",
        "str": "workbench.formatters.plain:StrFormatter",
        "empty": "workbench.formatters.plain:EmptyFormatter",
        "file": "workbench.formatters.files:FileFormatter",
        "functioncall": "workbench.formatters.function_call:FunctionCallFormatter",
    },
    "launcher": {"local": "workbench.launchers.local:LocalLauncher", "empty": "workbench.launchers.local:LocalLauncher"},
    "prompter": {
        "chat": "workbench.prompts.conversation:ChatPrompter",
        "alpaca": "workbench.prompts.instruction:AlpacaPrompter",
        "empty": "workbench.prompts.nothing:EmptyPrompter",
        "prompter": "workbench.prompts.filled:Prompter",
    },
    "scorer": {
        "exact": "workbench.evals.scorers:Exact",
        "contains": "workbench.evals.scorers:Contains",
        "regex": "workbench.evals.scorers:Regex",
        "json_field": "workbench.evals.scorers:JsonField",
        "f1": "workbench.evals.scorers:F1",
        "rouge_l": "workbench.evals.overlap:RougeL",
        "bleu": "workbench.evals.overlap:Bleu",
    },
    "corpus_measure": {"bleu": "workbench.evals.overlap:bleu_of"},
    "face": {"deployment": "workbench.modules.local.deployed:module_of"},
    "view": {
        "monitor": "workbench.widgets.monitor:Monitor",
        "chat": "workbench.widgets.chat:Chat",
        "evaltable": "workbench.widgets.evaltable:EvalTable",
        "gpu": "workbench.widgets.gpu:Gpu",
        "modelcard": "workbench.widgets.modelcard:ModelCard",
        "providers": "workbench.runtime.provider_table:provider_table",
    },
}
_loaded: dict[tuple[str, str], Any] = {}
_plugins: dict[str, dict[str, str]] = {}


def _entries(group: str) -> dict[str, str]:
    if group not in _plugins:
        _plugins[group] = {e.name: e.value for e in entry_points(group=f"workbench.{group}")}
    return {**_plugins[group], **BUILTIN.get(group, {})}


def names(group: str) -> list[str]:
    """All names of a group, loaded or not; a part that somebody used without registering it is none of them."""
    return sorted({*_entries(group), *(n for g, n in _loaded if g == group and ":" not in n)})


def register(group: str, name: str, part: Any) -> Any:
    """Add ``part`` (an object, or a ``"module:attribute"`` string) under a name and return it."""
    if isinstance(part, str):
        BUILTIN.setdefault(group, {})[name] = part
    else:
        _loaded[group, name] = part
    return part


def get(group: str, name: str) -> Any:
    """The part of that name, imported when first asked for.

    A name that holds a colon is the part's own ``"module:attribute"``: a part of the user's that nobody registered.

    Raises
    ------
    PluginError
        When the name is unknown (the nearest known name is in the message) or its module cannot be imported.
    """
    if (group, name) in _loaded:
        return _loaded[group, name]
    target = name if ":" in name else BUILTIN.get(group, {}).get(name) or _entries(group).get(name)  # looking for plugins takes a while
    if target is None:
        near = nearest(name, names(group))
        raise PluginError(
            f"No {group} is called {name!r}.",
            f"{near!r} is the nearest name." if near else "",
            f"Choose one of: {', '.join(names(group)) or 'none is registered'}.",
        )
    module, _, attribute = target.partition(":")
    try:
        part: Any = importlib.import_module(module)
        for piece in attribute.split(".") if attribute else ():
            part = getattr(part, piece)
    except Exception as e:
        if not target.startswith("workbench."):
            warnings.warn(f"The {group} plugin {name!r} ({target}) cannot be loaded: {e}", stacklevel=2)
        raise PluginError(f"The {group} {name!r} cannot be loaded.", f"{type(e).__name__}: {e}", f"Check {target}.") from e
    _loaded[group, name] = part
    return part


def member(group: str, name: str) -> Any:
    """The part that people write as an attribute of a group's module, in any case, with or without the group's name at its end.

    Raises
    ------
    AttributeError
        With the nearest name: what a module's ``__getattr__`` owes its caller.
    """
    if name.startswith("_"):
        raise AttributeError(name)
    plain, known = name.lower().removesuffix(group) or name.lower(), names(group)
    for candidate in (name, plain):
        if candidate in known:
            return get(group, candidate)
    near = nearest(plain, known)
    raise AttributeError(f"No {group} is called {name!r}." + (f" {near!r} is the nearest name." if near else f" There are: {', '.join(known)}."))
