"""The files that ship agree with the script that made them, and what the model says names things that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

import pytest

import workbench as wb
from workbench import pocket
from workbench.cli.app import app
from workbench.magics.magics import NAMES
from workbench.pocket.make import chats, skills, talk, task
from workbench.pocket.make.tokenizer import CHAT_TEMPLATE, PATTERN
from workbench.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
MODEL = pocket.path()


def rows(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_weights_take_no_more_than_8_mb():
    assert sum((MODEL / name).stat().st_size for name in ("model.safetensors", "pocket-q8_0.gguf")) <= 8_000_000


def test_rows_are_the_ones_the_script_writes(tmp_path):
    task.write(tmp_path)
    for file in sorted(tmp_path.iterdir()):
        assert file.read_bytes() == (pocket.train_file().parent / file.name).read_bytes(), file.name


def test_no_examined_question_is_trained_on():
    trained = rows(pocket.train_file())
    questions = {row["instruction"] for row in trained}
    assert not questions & {row["input"] for row in [*pocket.eval_rows(), *pocket.exam_rows()]}
    assert not {row["output"] for row in trained} & {row["output"] for row in pocket.eval_rows()}, "a held-out date in another form"


def test_kept_back_questions_never_come_up_in_practice():
    random, kept = Random(99), {talk._plain(row["input"]) for row in pocket.exam_rows() if row["skill"] == "talk"}
    held = {row["input"] for row in pocket.exam_rows() if row["skill"] not in {*skills.CLOSED, "talk"}}
    for _ in range(20_000):
        for question, _ in chats.turns(random):
            assert talk._plain(question) not in kept
            assert question not in held


def test_tokenizer_and_template_are_the_script_s():
    tokenizer = json.loads((MODEL / "tokenizer.json").read_text(encoding="utf-8"))
    config = json.loads((MODEL / "config.json").read_text(encoding="utf-8"))
    assert tokenizer["pre_tokenizer"]["pretokenizers"][0]["pattern"] == {"Regex": PATTERN}
    assert len(tokenizer["model"]["vocab"]) + len(tokenizer["added_tokens"]) == config["vocab_size"]
    assert (MODEL / "chat_template.jinja").read_text(encoding="utf-8") == CHAT_TEMPLATE
    assert (config["model_type"], config["tie_word_embeddings"]) == ("qwen3", True)


def test_model_card_names_licence_seed_and_origin():
    card = (MODEL / "README.md").read_text(encoding="utf-8")
    record = json.loads((MODEL / "training.json").read_text(encoding="utf-8"))
    assert "license: bsd-3-clause" in card
    assert f"seed {record['recipe']['seed']}" in card
    assert f"{record['recipe']['steps']:,} steps" in card


# ---- what it talks about exists


def said() -> list[str]:
    return [text for topic in talk.topics().values() for text in (*topic.say, topic.more, topic.example)]


CODE = sorted({code for text in said() for code in re.findall(r"`([^`]+)`", text)})


@pytest.mark.parametrize("code", CODE)
def test_code_it_talks_about_exists(code):
    module = dir(wb.TrainableModule("pocket"))
    for name in re.findall(r"\bwb\.(\w+)", code):
        assert name in wb.__all__
    for name in re.findall(r"\bwb\.finetune\.(\w+)", code):
        assert name in wb.registry.names("finetune")
    if code.startswith(("job.", "wb.job(")):
        for name in re.findall(r"\.(\w+)\(\)", code):
            assert name in dir(wb.Job)
    elif code.startswith("t.eval_result."):
        assert "save_html" in code
        assert hasattr(wb.EvalResult, "save_html")
        assert "eval_result" in module
    else:
        for name in re.findall(r"(?:\b[mt]|\)|^)\.(\w+)", code):
            assert name in module
    for name in re.findall(r"(%%?\w+)", code):
        assert name in {*("%" + n for n in NAMES["line"]), *("%%" + n for n in NAMES["cell"]), "%load_ext"}
    if code.startswith("make "):
        assert re.search(rf"^{code.split()[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    if code.startswith("workbench "):
        assert command_exists(code.split()[1:])
    if code.startswith("WORKBENCH_"):
        assert code in str(Settings.model_fields["home"].validation_alias)
    if code.startswith("python -m "):
        assert (ROOT / code.split()[2].replace(".", "/") / "__main__.py").exists()


def command_exists(words: list[str]) -> bool:
    from typer.main import get_command

    command = get_command(app)
    for word in words:
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            return False
    return True


@pytest.mark.parametrize("label", ["Stop and save", "Pause", "Smoothing", "Log", "Deploy", "Cause", "Fix"])
def test_label_it_talks_about_is_on_the_page(label):
    source = "".join(f.read_text(encoding="utf-8") for kind in ("*.ts", "*.tsx") for f in sorted((ROOT / "js").rglob(kind)))
    assert re.search(rf"""["'`>]{label}["'`<]""", source)
