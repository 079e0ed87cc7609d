"""What ``import workbench`` gives and what it may load."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import workbench as wb
from workbench.errors import WorkbenchError

NAMES = [
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
HEAVY = [
    "torch",
    "transformers",
    "pandas",
    "pyarrow",
    "numpy",
    "matplotlib",
    "httpx",
    "pydantic",
    "pydantic_settings",
    "ipywidgets",
    "anywidget",
    "traitlets",
    "IPython",
    "jinja2",
    "psutil",
    "tqdm",
    "typer",
    "rich",
    "xllamacpp",
    "llamafactory",
    "vllm",
    "filelock",
    "sqlite3",
    "asyncio",
    "dotenv",
    "genai_prices",
    "keyring",
    "yaml",
]


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_exported_names_are_these() -> None:
    assert sorted(wb.__all__) == NAMES
    assert dir(wb) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_exported_name_resolves(name: str) -> None:
    assert getattr(wb, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="TrainableModul'"):
        wb.TrainableModul  # noqa: B018


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = json.loads(run("import sys, json; before = set(sys.modules); import workbench; print(json.dumps(sorted(set(sys.modules) - before)))"))
    assert [m for m in loaded if m.partition(".")[0] in HEAVY] == []


def test_making_a_module_loads_neither_torch_nor_pandas_nor_widgets() -> None:
    loaded = set(json.loads(run("import sys, json, workbench as wb; wb.TrainableModule('pocket', 'x'); print(json.dumps(sorted(sys.modules)))")))
    assert loaded & {"torch", "transformers", "pandas", "matplotlib", "ipywidgets", "xllamacpp"} == set()


def test_making_an_online_module_loads_no_client_no_prices_and_one_vendor() -> None:
    code = "import sys, json, workbench as wb; wb.OnlineChatModule('m', source='openai', api_key='k'); from workbench.providers import catalog; "
    made, loaded = json.loads(run(code + "print(json.dumps([list(catalog._made), sorted(sys.modules)]))"))
    assert made == ["openai"]
    assert set(loaded) & {"httpx", "httpcore", "genai_prices", "keyring", "yaml", "openai", "anthropic", "pandas", "botocore", "websockets"} == set()


@pytest.mark.parametrize("name", ["settings", "envs", "providers"])
def test_a_function_named_like_its_module_can_be_called_before_and_after_the_module_is_imported(name: str) -> None:
    call = f"type(workbench.{name}()).__name__"
    code = f"import workbench; a = {call}; import workbench.{name}; b = {call}; from workbench import {name}; print(a, b, type({name}()).__name__)"
    first, second, third = run(code).split()
    assert first == second == third


def test_jupyter_finds_its_extensions() -> None:
    assert wb._jupyter_labextension_paths() == [{"src": "labextension", "dest": "jupyter-llm-workbench"}]
    (point,) = wb._jupyter_server_extension_points()
    assert point["module"] == "workbench.server"
    assert point["app"].name


def test_every_error_says_what_why_and_what_to_do() -> None:
    assert str(WorkbenchError("It broke.", "Rust.", "Oil it.")) == "It broke.\nCause: Rust.\nFix: Oil it."
