"""The template that LLaMA-Factory trains with writes what the model's own chat template does; tried in the trainer's environment."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from workbench import envs, finetune, pocket

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
QWEN2 = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\n"
    "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n{% endif %}" + CHATML
)
HOMEMADE = (
    "{% for m in messages %}{% if m.role == 'system' %}[[{{ m.content }}]]\n{% elif m.role == 'user' %}Q> {{ m.content }}\nA>"
    "{% else %} {{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
)
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system prompt') }}{% endif %}"
    "{% for m in messages %}{% if m.role == 'user' %}Q> {{ m.content }}\nA>{% else %} {{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
)
SHOUTING = CHATML.replace("{{ m.content }}", "{{ m.content | upper }}")

SCRIPT = """
import json, sys
sys.path.append(sys.argv[3])
from transformers import AutoTokenizer
from train_chat_template import choose, differs
answers = {}
for name, (template, model_type) in json.loads(sys.argv[2]).items():
    tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
    tokenizer.chat_template = template
    choice = choose(tokenizer, sys.argv[1], model_type)
    answers[name] = [choice.name, list(choice.differs), choice.has_own]
    answers[name + " named"] = {t: len(differs(tokenizer, t)) for t in ("qwen", "qwen3_nothink", "chatml", "no such one")}
print("\\n" + json.dumps(answers))
"""


@pytest.mark.usefixtures("home")
def test_the_template_that_writes_as_the_models_own_is_found(tmp_path: Path) -> None:
    runners = Path(finetune.__file__).parents[1] / "runners"
    script = tmp_path / "script.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(runners)!r})\n" + SCRIPT)
    asked = {
        "qwen3": (CHATML, "qwen3"),
        "qwen2": (QWEN2, "qwen2"),
        "homemade": (HOMEMADE, "llama"),
        "no system": (NO_SYSTEM, "llama"),
        "shouting": (SHOUTING, "qwen3"),
        "none": (None, "llama"),
    }
    command = [str(envs.ensure("llamafactory")), str(script), str(pocket.path()), json.dumps(asked), str(runners / "stubs")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout.splitlines()[-1])
    assert found["qwen3"] == ["qwen3_nothink", [], True]
    assert found["qwen2"] == ["qwen", [], True]
    assert found["homemade"] == ["workbench_own", [], True]
    assert found["no system"] == ["workbench_own", [], True]
    assert len(found["shouting"][1]) == 4, "no template can write this; the user is told"
    assert found["none"] == ["default", [], False]
    # what the user names is taken; where it is not what the model is served with, that is told (chatml becomes the model's own)
    assert found["qwen3 named"] == {"qwen": 2, "qwen3_nothink": 0, "chatml": 0, "no such one": 0}
    assert found["qwen2 named"] == {"qwen": 0, "qwen3_nothink": 2, "chatml": 0, "no such one": 0}
    assert found["none named"] == {"qwen": 0, "qwen3_nothink": 0, "chatml": 0, "no such one": 0}
