"""A working day with marked keys: notebook, logs, errors, evaluations, jobs, database. Afterwards no mark is anywhere."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from scripted_http import Asked, Reply, Scripted

MARK = "Zq7MARK9x"
IN_ENV, IN_DOTENV, AS_ARGUMENT, IN_MAP = (f"sk-{name}-{'-'.join([MARK] * 14)}" for name in ("env", "dotenv", "argument", "map"))

CELLS = [
    """
import logging, os, sys, warnings
logging.basicConfig(level=logging.DEBUG, filename='day.log')
import workbench as wb
url = os.environ['SCRIPTED']
given = lambda: open('given.txt').read().strip()
""",
    "m = wb.OnlineModule('gpt-4o-mini', source='openai', url=url); m",
    "answer = m('Hello', temperature=0.5); print(answer.completion); answer",
    "n = wb.OnlineModule('m', source='glm', url=url, api_key=given()); print(vars(n)); n",
    "print(n('Hello'), [p for p in n.stream('Hello')]); await n.acall('Hello')",
    "d = wb.OnlineModule('deepseek-v4-flash', source='deepseek', url=url); d('Hello')",
    "a = wb.AutoModel('mapped', config='models.yaml'); print(a, wb.AutoModel.explain('mapped', config='models.yaml')); a('Hello')",
    "e = wb.OnlineModule('text-embedding-3-small', source='openai', url=url); print(e); e(['a', 'b'])",
    "wb.providers()",
    "print(wb.providers()); wb.providers().to_pandas()",
    "%load_ext workbench\n%keys",
    "print(m.endpoint, n.endpoint, n.endpoint.to_json(), m._target); n.chat()",
    "m.evalset([{'input': 'Hello', 'output': 'Hello there'}]).eval(); m.eval_result",
    # every way an error is shown
    "refused = wb.OnlineModule('refuse', source='openai', url=url, api_key=given(), max_retries=0)",
    "refused('Hello')",
    "%xmode Verbose",
    "refused('Hello')",
    "n('Hello', model='refuse')",
    "m('Hello', model='break')",
    "e('Hello', model='refuse')",
    "wb.OnlineModule('m', source='openai', url='http://127.0.0.1:9/v1', max_retries=0)('Hello')",
    "wb.OnlineModule('m', source='openai', url='nonsense://x', max_retries=0)('Hello')",
    "wb.OnlineModule('m', source='openai', url=url, api_key=given(), nonsense=1)",
    "wb.OnlineChatModule('m', source='sensenova', url=url, api_key=given(), secret_key=given(), nonsense=1)",
    "wb.OnlineEmbeddingModule('openai', api_key=[given()], url='nonsense')",
    "wb.OnlineMultiModalModule('openai', type='tts', api_key=given(), nonsense=1)",
    "wb.AutoModel('m', source='openai', api_key=given(), nonsense=1)",
    "wb.AutoModel('mapped', config='models.yaml', nonsense=1)",
    """
from rich.console import Console
for call in [lambda: refused('Hello'), lambda: m('Hello', model='break'), lambda: n('Hello', model='refuse'), lambda: e('x', model='refuse')]:
    try:
        call()
    except Exception:
        Console(width=200).print_exception(show_locals=True)
""",
    """
import traceback
for call in [lambda: refused('Hello'), lambda: n('Hello', model='break')]:
    try:
        call()
    except Exception as error:
        traceback.print_exception(error)
        for frame in traceback.walk_tb(error.__traceback__):
            if frame[0].f_globals['__name__'].startswith(('workbench', 'http')):
                print({k: repr(v)[:2000] for k, v in frame[0].f_locals.items()})
""",
    "import gc; from workbench.runtime.secrets import held_keys, keys; print(held_keys._held, keys.dotenv())",
    """
import psutil
job = wb.TrainableModule('pocket').deploy_method(wb.deploy.dummy).start()
job('Hello')
found = [e for p in psutil.process_iter(['environ']) if (e := p.info['environ'] or {}).get('WORKBENCH_KEY_FILE', '').count(job.deployment.id)]
print(f"engines: {len(found)} with a key: {sum('OPENAI_API_KEY' in e for e in found)}")
job.stop()
wb.jobs()
""",
    "import pickle\ntry:\n    print(pickle.dumps(n.endpoint))\nexcept Exception as error:\n    print(repr(error))",
    """
import psutil
for child in psutil.Process().children(recursive=True):
    print(child.cmdline())
""",
]


def answer(asked: Asked) -> Reply:
    """What a vendor says; a refusal repeats the key, as some do."""
    key = asked.headers.get("authorization", "")
    model = json.loads(asked.body)["model"] if asked.body else ""
    if model == "refuse":
        return Reply({"error": {"message": f"Incorrect API key provided: {key.removeprefix('Bearer ')}. Header was {key}"}}, status=401)
    if asked.path.endswith("/embeddings"):
        return Reply({"data": [{"index": i, "embedding": [0.0, 1.0]} for i in range(2)], "model": model})
    chunks = [b'data: {"choices": [{"index": 0, "delta": {"content": "Hello there"}}]}\n\n']
    if model == "break":
        return Reply(body=[*chunks, b'data: {"error": {"message": "broke with ' + key.encode() + b'"}}\n\n'], mime="text/event-stream")
    return Reply(
        body=[*chunks, b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'], mime="text/event-stream"
    )


@pytest.fixture
def server() -> Iterator[Scripted]:
    server = Scripted(answer)
    yield server
    server.close()


def test_after_a_working_day_no_key_is_anywhere(home: Path, tmp_path: Path, server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / ".env").write_text(f"DEEPSEEK_API_KEY={IN_DOTENV}\n")
    (work / "given.txt").write_text(AS_ARGUMENT)
    (work / "models.yaml").write_text(f"mapped: {{source: qwen, url: '{server.url}', api_key: {IN_MAP}}}\n")
    monkeypatch.setenv("OPENAI_API_KEY", IN_ENV)
    monkeypatch.setenv("SCRIPTED", server.url)
    for name in ("OPENAI_BASE_URL", "LAZYLLM_DEFAULT_SOURCE", "WORKBENCH_DEFAULT_SOURCE"):
        monkeypatch.delenv(name, raising=False)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in CELLS])
    NotebookClient(book, timeout=120, allow_errors=True, resources={"metadata": {"path": str(work)}}).execute()
    told = nbformat.writes(book)
    (tmp_path / "day.ipynb").write_text(told)

    used = " ".join(asked.headers.get("authorization", "") for asked in server.asked)
    for key in (IN_ENV, IN_DOTENV, AS_ARGUMENT, IN_MAP):
        assert key in used  # each was really sent
    assert "AuthenticationFailed" in told
    assert "StreamBroken" in told or "broke with" in told
    assert "DEEPSEEK_API_KEY (.env)" in told
    assert re.search(r"engines: [1-9]\d* with a key: 0", told)
    shown = [i for i, cell in enumerate(book.cells) if MARK in json.dumps(cell.outputs)]
    assert shown == []
    kept = [str(p) for p in files(home) if MARK.encode() in p.read_bytes()]
    kept += [str(p) for p in files(work) if p.name not in (".env", "given.txt", "models.yaml") and MARK.encode() in p.read_bytes()]
    assert kept == []
    assert not any(MARK in asked.path or MARK.encode() in asked.body for asked in server.asked)


def files(folder: Path) -> list[Path]:
    return [Path(base) / name for base, _, names in os.walk(folder) for name in names if (Path(base) / name).is_file()]
