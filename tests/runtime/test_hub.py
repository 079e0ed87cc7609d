"""Downloads with Hugging Face's own library, from a small hub on this machine that speaks the real one's paths."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from workbench.core.jobs import Progress
from workbench.errors import ModelNotFound
from workbench.runtime.inspecting.hub_names import full
from workbench.runtime.inspecting.models import resolve

FILES = {
    "config.json": b'{"architectures": ["Qwen3ForCausalLM"]}',
    "model.safetensors": bytes(300_000),
    "pytorch_model.h5": b"another form of the same",
}
SHA = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """One model, ``org/tiny``. ``broken`` files end too early."""

    broken: ClassVar[set[str]] = set()
    asked: ClassVar[list[str]] = []
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        path = self.path.split("?")[0]
        self.asked.append(f"{self.command} {path}")
        name = path.rsplit("/", 1)[-1]
        if path.startswith("/api/models/org/tiny"):
            siblings = [{"rfilename": n, "size": len(d)} for n, d in FILES.items()]
            tree = [{"type": "file", "path": n, "size": len(d), "oid": SHA} for n, d in FILES.items()]
            self.send(json.dumps(tree if "/tree/" in path else {"id": "org/tiny", "sha": SHA, "siblings": siblings}).encode(), body)
        elif "/org/tiny/resolve/" in path and name in FILES:
            self.send(FILES[name], body, name)
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def send(self, data: bytes, body: bool, name: str = "") -> None:
        start = int((self.headers.get("Range") or "bytes=0-").split("=")[1].split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", SHA)
        self.end_headers()
        if body and name in self.broken:
            self.wfile.write(data[start : start + 100_000])
            self.close_connection = True
        elif body:
            self.wfile.write(data[start:])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Hub.asked, Hub.broken = [], set()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HOME", str(home / "hf"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    for name in [n for n in sys.modules if n.split(".")[0] == "huggingface_hub"]:
        monkeypatch.delitem(sys.modules, name)  # it reads its variables when it is imported
    importlib.invalidate_caches()
    yield Hub
    server.shutdown()
    server.server_close()


def test_a_model_is_downloaded_once_in_the_form_that_is_used(hub: type[Hub], home: Path) -> None:
    told: list[Progress] = []
    model = resolve("org/tiny", on_progress=told.append)
    assert model == home / "models" / "huggingface" / "org" / "tiny"
    assert (model / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert not (model / "pytorch_model.h5").exists()
    asked = len(hub.asked)
    assert resolve("org/tiny") == model
    assert len(hub.asked) == asked
    assert list(model.parent.glob("*.part")) == []


def test_a_download_that_broke_off_is_no_model_and_goes_on_later(hub: type[Hub], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the library waits between its own tries
    hub.broken = {"model.safetensors"}
    with pytest.raises(ModelNotFound):
        resolve("org/tiny")
    assert not (home / "models" / "huggingface" / "org" / "tiny").exists()
    hub.broken = set()
    assert (resolve("org/tiny") / "model.safetensors").stat().st_size == 300_000


def test_a_name_that_the_hub_does_not_know_is_told(hub: type[Hub]) -> None:
    with pytest.raises(ModelNotFound, match="huggingface did not give 'org/other'"):
        resolve("org/other")
    with pytest.raises(ModelNotFound):
        resolve("org/tiny", download=False)


def test_a_name_without_its_organisation_is_asked_for_with_it(hub: type[Hub], home: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"huggingface did not give 'Qwen/Qwen2-1\.5B'") as caught:
        resolve("qwen2-1.5b")
    assert "organisation/name" in caught.value.fix
    kept = home / "models" / "huggingface" / "BAAI" / "bge-large-zh-v1.5"
    kept.mkdir(parents=True)
    (kept / "model.safetensors").write_bytes(b"")
    assert resolve("bge-large-zh-v1.5", download=False) == kept


@pytest.mark.parametrize(
    ("name", "huggingface", "modelscope"),
    [
        ("qwen2.5-7b-instruct", "Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-7B-Instruct"),
        ("Qwen3-30B-A3B", "Qwen/Qwen3-30B-A3B", "Qwen/Qwen3-30B-A3B"),
        ("internvl-chat-2b-v1-5", "OpenGVLab/Mini-InternVL-Chat-2B-V1-5", "OpenGVLab/Mini-InternVL-Chat-2B-V1-5"),
        ("SenseVoiceSmall", "FunAudioLLM/SenseVoiceSmall", "iic/SenseVoiceSmall"),
        ("internlm2-chat-7b", "internlm/internlm2-chat-7b", "Shanghai_AI_Laboratory/internlm2-chat-7b"),
        ("bert-base-uncased", "bert-base-uncased", "bert-base-uncased"),
        ("me/qwen2-1.5b", "me/qwen2-1.5b", "me/qwen2-1.5b"),
    ],
)
def test_families_are_known_by_the_beginning_of_their_names(name: str, huggingface: str, modelscope: str) -> None:
    assert (full(name, "huggingface"), full(name, "modelscope")) == (huggingface, modelscope)


def test_a_missing_library_is_named_with_its_install_command(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "modelscope", None)
    with pytest.raises(ModelNotFound, match=r"jupyter-llm-workbench\[hub\]"):
        resolve("org/tiny", source="modelscope")


def test_a_hub_that_nobody_reaches_says_connection_and_a_folder_of_that_name_is_seen(
    hub: type[Hub], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    (tmp_path / "tiny").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFound) as caught:
        resolve("org/other")
    assert caught.value.fix.startswith("Check the connection")
    with pytest.raises(ModelNotFound, match=r"write '\./tiny' for it"):
        resolve("tiny")
