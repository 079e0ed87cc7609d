"""Chat templates in their process: what they write, where they keep themselves, and that a hostile one cannot hurt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from workbench import pocket
from workbench.core.prompting import PromptRequest, readable
from workbench.errors import ArgumentError, WorkbenchError
from workbench.runtime.inspecting import rendering
from workbench.runtime.inspecting.chat_templates import template_of
from workbench.runtime.inspecting.rendering import TemplateRefused

HI = ({"role": "user", "content": "Hi"},)


def text(template: str, *messages: dict[str, object], tools: tuple[dict[str, object], ...] = (), **variables: object) -> str:
    found = rendering.render(template, {"bos_token": "<s>"}, [PromptRequest("render", messages or HI, tools=tools, variables=variables)])[0]
    return found.text or f"{found.line}: {found.error}"


def test_a_template_has_what_transformers_gives_to_one() -> None:
    assert text("{{ bos_token }}{{ messages[0].content }}{{ add_generation_prompt }}") == "<s>HiTrue"
    assert text("{{ add_generation_prompt }}", add_generation_prompt=False) == "False"
    assert text("{{ {'é': '<'} | tojson }}{{ [1] | tojson(indent=1) }}") == '{"é": "<"}[\n 1\n]'
    assert text("{{ strftime_now('%Y') }}") == time.strftime("%Y")
    assert text("{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}") == "01"
    assert text("{% generation %}said{% endgeneration %}") == "said"
    assert text("{% set ns = namespace(n=0) %}{% set ns.n = ns.n + 1 %}{{ ns.n }}") == "1"
    assert text("  {% if true %}\nx\n  {% endif %}\ny") == "x\ny"
    assert text("{{ tools[0].function.name }}", tools=({"type": "function", "function": {"name": "add"}},)) == "add"
    assert text("{{ tools is none }}{{ enable_thinking }}{{ documents[0].text }}", enable_thinking=False, documents=[{"text": "d"}]) == "TrueFalsed"


def test_the_arguments_of_tool_calls_are_objects_and_texts_in_parts_are_one_text() -> None:
    call = {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "function": {"name": "add", "arguments": '{"a": [1]}'}}]}
    assert text("{{ messages[0].tool_calls[0].function.arguments.a[0] }}", call) == "1"
    odd = {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "function": {"name": "add", "arguments": "no json"}}]}
    assert text("{{ messages[0].tool_calls[0].function.arguments }}", odd) == "no json"
    parts = {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    assert text("{{ messages[0].content }}", parts) == "a\nb"
    assert text("{% for p in messages[0].content %}{{ p.type }}{{ p.text }} {% endfor %}", parts) == "texta textb "


def test_a_message_that_is_gone_on_with_is_left_open() -> None:
    chatml = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
    turns = (*HI, {"role": "assistant", "content": "Once "})
    assert text(chatml, *turns, continue_final_message=True) == "<user>Hi</><assistant>Once"
    assert text(chatml, *turns) == "<user>Hi</><assistant>Once </><assistant>"
    assert "no text" in text("x", {"role": "assistant", "content": "y"}, continue_final_message=True)


def test_what_a_template_raises_is_told_with_its_line() -> None:
    assert text("a\n{{ raise_exception('Only two roles!') }}") == "2: Only two roles!"
    assert text("a\nb\n{{ messages[0].x.y }}").startswith("3: ")
    with pytest.raises(TemplateRefused, match=r"line 2") as caught:
        text("a\n{% for %}")
    assert caught.value.line == 2
    assert isinstance(caught.value, ArgumentError)


HOSTILE = {
    "memory": "{{ 'a' * 100000000000 }}",
    "nested lists": "{% set x = namespace(l=['a' * 1000000]) %}{% for i in range(60) %}{% set x.l = x.l + x.l %}{% endfor %}",
    "recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "classes": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals": "{{ cycler.__init__.__globals__.os.popen('touch /tmp/hurt').read() }}",
    "attributes by filter": "{{ ''|attr('__class__')|attr('__base__') }}",
    "format": "{{ '{0.__class__.__init__.__globals__}'.format(raise_exception) }}",
    "namespace": "{% set n = namespace() %}{{ n._Namespace__attrs }}{% set n.__class__ = 1 %}",
    "import": "{% import 'os' as o %}{{ o }}",
    "deep": "{{" + "(" * 5000 + "1" + ")" * 5000 + "}}",
}


@pytest.mark.parametrize("template", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_template_gets_nowhere(template: str) -> None:
    try:
        said = text(template)
    except WorkbenchError as e:
        said = f"0: {e}"
    assert ": " in said
    assert "<class" not in said
    assert "subprocess" not in said


def test_an_endless_template_is_ended_with_its_process() -> None:
    with pytest.raises(TemplateRefused, match="come to an end"):
        text("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}")
    assert not [c for c in psutil.Process().children() if "render_template" in " ".join(c.cmdline())]


def test_whoever_gets_out_of_the_sandbox_can_open_and_start_nothing(tmp_path: Path) -> None:
    """The runner itself, with a template environment that has no sandbox at all."""
    escape = f"""
import sys, json
sys.argv = ["x"]
source = open({rendering._RUNNER.as_posix()!r}).read().replace("if __name__", "if False and __name__")
exec(compile(source, "runner", "exec"))
import jinja2.debug, jinja2.ext
environment = jinja2.Environment(extensions=[])
environment.globals["root"] = {{"open": open, "system": __import__("os").system, "imports": __import__, "sock": __import__("socket").socket}}
limit(100)
for t in ["{{{{ root.open('{tmp_path}/hurt', 'w') }}}}", "{{{{ root.system('touch {tmp_path}/hurt') }}}}", "{{{{ root.imports('ftplib') }}}}",
          "{{{{ root.sock().connect(('127.0.0.1', 9)) }}}}"]:
    print(json.dumps(answer(environment, {{"template": t, "renders": [{{"messages": []}}]}})))
"""
    done = subprocess.run([sys.executable, "-I", "-c", escape], capture_output=True, text=True, timeout=60)
    said = [json.loads(line)["results"][0]["error"] for line in done.stdout.splitlines()]
    assert len(said) == 4, done.stderr
    assert all("must not do this" in s for s in said)
    assert not (tmp_path / "hurt").exists()


def test_the_process_sees_neither_keys_nor_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = dict[str, object]()

    class Popen(rendering.subprocess.Popen):  # type: ignore[type-arg]  # only to look at what is passed on
        def __init__(self, *args: object, **kwargs: object) -> None:
            seen.update(kwargs, argv=args[0])
            super().__init__(*args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setattr(rendering.subprocess, "Popen", Popen)
    assert text("x") == "x"
    assert "sk-secret" not in str(seen)
    assert seen["start_new_session"] is True
    assert "-I" in str(seen["argv"])
    assert seen["cwd"] == os.sep


def test_a_long_conversation_is_rendered_whole() -> None:
    turns = tuple({"role": "user", "content": "é" * 10_000} for _ in range(500))
    assert len(text("{% for m in messages %}{{ m.content }}{% endfor %}", *turns)) == 5_000_000
    assert text("{{ messages[0].content }}", {"role": "user", "content": "\ud83d"}) == "\ud83d"


def test_renders_side_by_side() -> None:
    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(lambda i: text("{{ messages[0].content }}", {"role": "user", "content": i}), "012345"))
    assert said == list("012345")


# ---- where models keep theirs


def folder(tmp_path: Path, **files: object) -> Path:
    for name, value in files.items():
        path = tmp_path / name.replace("__", "/").replace("_json", ".json").replace("_jinja", ".jinja")
        path.parent.mkdir(exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
    return tmp_path


def test_a_template_of_its_own_file_comes_before_the_tokenizers(tmp_path: Path) -> None:
    config = {"chat_template": "old", "bos_token": {"content": "<b>", "lstrip": False}, "eos_token": "<e>", "add_bos_token": True, "pad_token": None}
    found = template_of(folder(tmp_path, tokenizer_config_json=config))
    assert (found.text, dict(found.special)) == ("old", {"bos_token": "<b>", "eos_token": "<e>"})
    assert template_of(folder(tmp_path, chat_template_jinja="new")).text == "new"
    assert found.source.endswith("tokenizer_config.json")


def test_of_several_templates_the_one_for_tools_is_taken_with_tools(tmp_path: Path) -> None:
    several = [{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools"}, {"name": "rag", "template": "r"}]
    found = template_of(folder(tmp_path, tokenizer_config_json={"chat_template": several}))
    assert (found.for_tools(()), found.for_tools(({},))) == ("plain", "tools")
    (tmp_path / "additional_chat_templates").mkdir()
    (tmp_path / "additional_chat_templates" / "tool_use.jinja").write_text("better")
    assert template_of(tmp_path).for_tools(({},)) == "better"


def test_a_processors_template_is_found_and_nothing_is_no_template(tmp_path: Path) -> None:
    assert template_of(tmp_path).text == ""
    assert template_of(folder(tmp_path, tokenizer_config_json="no json")).text == ""
    assert template_of(folder(tmp_path, chat_template_json={"chat_template": "p"})).text == "p"


def test_a_gguf_files_header_has_its_template_and_special_tokens() -> None:
    file = next(pocket.path().glob("*.gguf"))
    found = template_of(file)
    assert found.text == template_of(pocket.path()).text
    assert found.special == {"bos_token": "<|endoftext|>", "eos_token": "<|im_end|>"}


def test_entries_of_vocabularies_are_read_as_texts() -> None:
    assert readable(["Ġthe", "Ċ", "Ã", "©", "<|im_end|>", "<｜User｜>"]) == (" the", "\n", "�", "�", "<|im_end|>", "<｜User｜>")
    assert readable(["▁the", "<0x0A>", "é", "</s>"]) == (" the", "\n", "é", "</s>")
