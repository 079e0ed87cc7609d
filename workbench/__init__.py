"""jupyter-llm-workbench: pick a model, talk to it, fine-tune it while watching, deploy it, evaluate it, in the notebook.

Every public name is in ``__all__`` and resolves when it is first used; importing this package loads nothing heavy.

>>> import workbench as wb
>>> m = wb.TrainableModule('pocket').start()
>>> m('What can you do?')
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import data, deploy, errors, evals, finetune, launchers, pocket, registry
    from . import formatters as formatter
    from . import modules as module
    from . import prompts as prompter
    from .core.answers import Answer
    from .core.events import Piece
    from .core.messages import Completion, Message
    from .core.options import Option, OptionIter
    from .envs import envs
    from .evals.compare import compare
    from .evals.result import EvalResult
    from .flows import (
        FlowBase,
        Placeholder,
        _0,
        _1,
        _2,
        _3,
        _4,
        _5,
        _6,
        _7,
        _8,
        _9,
        arguments,
        barrier,
        bind,
        diverter,
        graph,
        ifs,
        kwargs,
        loop,
        package,
        parallel,
        pipeline,
        save_pipeline_result,
        switch,
        warp,
    )
    from .formatters import (
        EmptyFormatter,
        FileFormatter,
        FormatterBase,
        FunctionCallFormatter,
        JsonFormatter,
        PythonFormatter,
        StrFormatter,
        YamlFormatter,
        decode_query_with_filepaths,
        encode_query_with_filepaths,
    )
    from .modules import ChatModule, Hook, ModuleBase, StreamCallHelper, TrainableModule
    from .modules.action import ActionModule
    from .modules.auto.auto_model import AutoModel
    from .modules.served.fastapi_app import FastapiApp
    from .modules.served.server_module import ServerModule
    from .modules.served.url_module import UrlModule
    from .modules.sessions import end_session, session
    from .modules.trials.trial import TrialModule
    from .modules.vendors.online import OnlineModule
    from .modules.vendors.online_chat import OnlineChatModule
    from .modules.vendors.online_embedding import OnlineEmbeddingModule, OnlineEmbeddingModuleBase
    from .modules.vendors.online_multimodal import OnlineMultiModalModule
    from .modules.views import gpu
    from .prompts import AlpacaPrompter, ChatPrompter, EmptyPrompter, Prompter, PrompterBase
    from .providers import providers as providers
    from .providers import register_provider
    from .runtime.deployments.deployment import Deployment, deployment, deployments
    from .runtime.deployments.freeing import free_gpu
    from .runtime.work.job import Job, job, jobs
    from .settings import settings

__version__ = "0.1.0"

_PUBLIC = {
    "ActionModule": ".modules.action:ActionModule",
    "AlpacaPrompter": ".prompts:AlpacaPrompter",
    "Answer": ".core.answers:Answer",
    "AutoModel": ".modules.auto.auto_model:AutoModel",
    "ChatModule": ".modules:ChatModule",
    "ChatPrompter": ".prompts:ChatPrompter",
    "Completion": ".core.messages:Completion",
    "Deployment": ".runtime.deployments.deployment:Deployment",
    "EmptyFormatter": ".formatters:EmptyFormatter",
    "EmptyPrompter": ".prompts:EmptyPrompter",
    "EvalResult": ".evals:EvalResult",
    "FastapiApp": ".modules.served.fastapi_app:FastapiApp",
    "FileFormatter": ".formatters:FileFormatter",
    "FlowBase": ".flows:FlowBase",
    "FormatterBase": ".formatters:FormatterBase",
    "FunctionCallFormatter": ".formatters:FunctionCallFormatter",
    "Hook": ".modules:Hook",
    "Job": ".runtime.work.job:Job",
    "JsonFormatter": ".formatters:JsonFormatter",
    "Message": ".core.messages:Message",
    "ModuleBase": ".modules:ModuleBase",
    "OnlineChatModule": ".modules.vendors.online_chat:OnlineChatModule",
    "OnlineEmbeddingModule": ".modules.vendors.online_embedding:OnlineEmbeddingModule",
    "OnlineEmbeddingModuleBase": ".modules.vendors.online_embedding:OnlineEmbeddingModuleBase",
    "OnlineModule": ".modules.vendors.online:OnlineModule",
    "OnlineMultiModalModule": ".modules.vendors.online_multimodal:OnlineMultiModalModule",
    "Option": ".core.options:Option",
    "OptionIter": ".core.options:OptionIter",
    "Piece": ".core.events:Piece",
    "Placeholder": ".flows:Placeholder",
    "Prompter": ".prompts:Prompter",
    "PrompterBase": ".prompts:PrompterBase",
    "PythonFormatter": ".formatters:PythonFormatter",
    "ServerModule": ".modules.served.server_module:ServerModule",
    "StrFormatter": ".formatters:StrFormatter",
    "StreamCallHelper": ".modules:StreamCallHelper",
    "TrainableModule": ".modules:TrainableModule",
    "TrialModule": ".modules.trials.trial:TrialModule",
    "UrlModule": ".modules.served.url_module:UrlModule",
    "YamlFormatter": ".formatters:YamlFormatter",
    "_0": ".flows:_0",
    "_1": ".flows:_1",
    "_2": ".flows:_2",
    "_3": ".flows:_3",
    "_4": ".flows:_4",
    "_5": ".flows:_5",
    "_6": ".flows:_6",
    "_7": ".flows:_7",
    "_8": ".flows:_8",
    "_9": ".flows:_9",
    "arguments": ".flows:arguments",
    "barrier": ".flows:barrier",
    "bind": ".flows:bind",
    "compare": ".evals:compare",
    "data": ".data",
    "decode_query_with_filepaths": ".formatters:decode_query_with_filepaths",
    "deploy": ".deploy",
    "deployment": ".runtime.deployments.deployment:deployment",
    "deployments": ".runtime.deployments.deployment:deployments",
    "diverter": ".flows:diverter",
    "encode_query_with_filepaths": ".formatters:encode_query_with_filepaths",
    "end_session": ".modules.sessions:end_session",
    "envs": ".envs",
    "errors": ".errors",
    "evals": ".evals",
    "finetune": ".finetune",
    "formatter": ".formatters",
    "free_gpu": ".runtime.deployments.freeing:free_gpu",
    "gpu": ".modules.views:gpu",
    "graph": ".flows:graph",
    "ifs": ".flows:ifs",
    "job": ".runtime.work.job:job",
    "jobs": ".runtime.work.job:jobs",
    "launchers": ".launchers",
    "kwargs": ".flows:kwargs",
    "loop": ".flows:loop",
    "module": ".modules",
    "package": ".flows:package",
    "parallel": ".flows:parallel",
    "pipeline": ".flows:pipeline",
    "pocket": ".pocket",
    "prompter": ".prompts",
    "providers": ".providers",
    "register_provider": ".providers:register_provider",
    "registry": ".registry",
    "save_pipeline_result": ".flows:save_pipeline_result",
    "session": ".modules.sessions:session",
    "settings": ".settings",
    "switch": ".flows:switch",
    "warp": ".flows:warp",
}

__all__ = [
    "ActionModule",
    "AlpacaPrompter",
    "Answer",
    "AutoModel",
    "ChatModule",
    "ChatPrompter",
    "Completion",
    "Deployment",
    "EmptyFormatter",
    "EmptyPrompter",
    "EvalResult",
    "FastapiApp",
    "FileFormatter",
    "FlowBase",
    "FormatterBase",
    "FunctionCallFormatter",
    "Hook",
    "Job",
    "JsonFormatter",
    "Message",
    "ModuleBase",
    "OnlineChatModule",
    "OnlineEmbeddingModule",
    "OnlineEmbeddingModuleBase",
    "OnlineModule",
    "OnlineMultiModalModule",
    "Option",
    "OptionIter",
    "Piece",
    "Placeholder",
    "Prompter",
    "PrompterBase",
    "PythonFormatter",
    "ServerModule",
    "StrFormatter",
    "StreamCallHelper",
    "TrainableModule",
    "TrialModule",
    "UrlModule",
    "YamlFormatter",
    "_0",
    "_1",
    "_2",
    "_3",
    "_4",
    "_5",
    "_6",
    "_7",
    "_8",
    "_9",
    "__version__",
    "arguments",
    "barrier",
    "bind",
    "compare",
    "data",
    "decode_query_with_filepaths",
    "deploy",
    "deployment",
    "deployments",
    "diverter",
    "encode_query_with_filepaths",
    "end_session",
    "envs",
    "errors",
    "evals",
    "finetune",
    "formatter",
    "free_gpu",
    "gpu",
    "graph",
    "ifs",
    "job",
    "jobs",
    "kwargs",
    "launchers",
    "load_ipython_extension",
    "loop",
    "module",
    "package",
    "parallel",
    "pipeline",
    "pocket",
    "prompter",
    "providers",
    "register_provider",
    "registry",
    "save_pipeline_result",
    "session",
    "settings",
    "switch",
    "warp",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _PUBLIC[name].partition(":")
    found = importlib.import_module(module, __name__)
    value = getattr(found, attribute) if attribute else found
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(ipython: Any) -> None:
    """``%load_ext workbench``: the magics ``%%chat``, ``%jobs``, ``%gpu`` and ``%keys``."""
    from .magics import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """``%unload_ext workbench``."""
    from .magics import unload

    unload(ipython)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-llm-workbench"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .server import WorkbenchApp

    return [{"module": "workbench.server", "app": WorkbenchApp}]
