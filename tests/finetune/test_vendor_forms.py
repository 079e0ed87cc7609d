"""Requests follow what vendors publish, and replies are read as they publish them."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openai.types import fine_tuning
from openai.types.fine_tuning import job_create_params
from pydantic import TypeAdapter

from workbench.core.endpoints import Endpoint
from workbench.core.protocols import HttpRequest
from workbench.core.remote_training import RemoteSpec
from workbench.data.messages_file import write_messages
from workbench.dialects.auth_volcengine import sign
from workbench.errors import ArgumentError, DataError
from workbench.finetune.vendor_doubao import DoubaoForm
from workbench.finetune.vendor_openai import GlmForm, OpenAIForm, event_in_words, state_of
from workbench.finetune.vendor_qwen import QwenForm
from workbench.finetune.vendor_sensenova import SenseNovaForm


def sent(request: HttpRequest | None) -> Any:
    assert request is not None
    return request.json


def spec(form: str, **arguments: object) -> RemoteSpec:
    return RemoteSpec(form, Endpoint("http://127.0.0.1:1/v1"), "gpt-4o-mini", "train.jsonl", arguments=arguments)


def test_openai_gets_what_its_own_package_would_send() -> None:
    request = OpenAIForm().create(spec("openai", n_epochs=2, learning_rate_multiplier=0.5, suffix="mine", seed=3), "file-1", "file-2")
    body = TypeAdapter(job_create_params.JobCreateParams).validate_python(request.json)
    assert (request.method, request.path, request.repeatable) == ("POST", "/fine_tuning/jobs", False)
    assert body["training_file"] == "file-1"
    assert body["validation_file"] == "file-2"
    assert body["seed"] == 3
    assert body["method"] == {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2, "learning_rate_multiplier": 0.5}}}


def test_openai_job_and_events_are_read() -> None:
    reply = {
        "id": "ftjob-1", "object": "fine_tuning.job", "created_at": 1, "error": None, "fine_tuned_model": "ft:gpt-4o-mini:me::1", "finished_at": 9,
        "hyperparameters": {"n_epochs": 2}, "model": "gpt-4o-mini", "organization_id": "org", "result_files": [], "seed": 0, "status": "succeeded",
        "trained_tokens": 5768, "training_file": "file-1", "validation_file": None,
    }  # fmt: skip
    fine_tuning.FineTuningJob.model_validate(reply)
    job = OpenAIForm().job(reply)
    assert (job.state, job.model, job.trained_tokens) == ("succeeded", "ft:gpt-4o-mini:me::1", 5768)
    event = {
        "id": "ev-2", "object": "fine_tuning.job.event", "created_at": 20, "level": "info", "type": "metrics",
        "message": "Step 10/20: training loss=0.51, validation loss=0.60, full validation loss=0.58",
        "data": {"step": 10, "total_steps": 20, "train_loss": 0.51, "valid_loss": 0.6, "train_mean_token_accuracy": 0.9},
    }  # fmt: skip
    fine_tuning.FineTuningJobEvent.model_validate(event)
    older = {**event, "id": "ev-1", "created_at": 10, "type": "message", "data": {}, "message": "Fine-tuning job started"}
    first, second = OpenAIForm().read_events({"data": [event, older]})
    assert first.text == "Fine-tuning job started"
    assert first.step is None
    assert (second.step, second.max_steps, dict(second.values)) == (10, 20, {"loss": 0.51, "eval_loss": 0.6, "accuracy": 0.9})


def test_an_event_in_words_gives_its_numbers() -> None:
    event = event_in_words("1", "Step 88/100: training loss=0.25, validation loss=0.5")
    assert (event.step, event.max_steps, dict(event.values)) == (88, 100, {"loss": 0.25, "eval_loss": 0.5})
    assert dict(event_in_words("2", "{'loss': 1.5e-1, 'learning_rate': 1e-05, 'epoch': 0.5}").values) == {"loss": 0.15, "learning_rate": 1e-05}


@pytest.mark.parametrize(
    ("word", "state"),
    [("PENDING", "pending"), ("QUEUING", "pending"), ("RUNNING", "running"), ("CANCELING", "running"), ("CANCELED", "cancelled"),
     ("SUCCEEDED", "succeeded"), ("FAILED", "failed"), ("create", "pending"), ("paused", "running"), ("Completed", "succeeded"),
     ("strange", "running")],
)  # fmt: skip
def test_states_come_into_one_vocabulary(word: str, state: str) -> None:
    assert state_of(word) == state


def test_glm_has_hyperparameters_at_the_top() -> None:
    body = GlmForm().create(spec("glm", n_epochs=3), "file-1", "").json
    assert body == {"model": "gpt-4o-mini", "training_file": "file-1", "hyperparameters": {"n_epochs": 3}}


def test_qwen_takes_its_own_and_the_peers_names_and_deploys() -> None:
    form = QwenForm()
    body = sent(form.create(spec("qwen", num_epochs=1, learning_rate=1.6e-5, lora_r=8, training_type="efficient_sft"), "f", "v"))
    assert body["hyper_parameters"] == {"learning_rate": "1.6e-05", "n_epochs": 1, "lora_rank": 8}
    assert body["training_file_ids"] == ["f"]
    assert body["validation_file_ids"] == ["v"]
    assert form.uploaded({"request_id": "r", "data": {"uploaded_files": [{"name": "a", "file_id": "f-1"}], "failed_uploads": []}}) == "f-1"
    assert (
        form.job({"output": {"job_id": "ft-1", "status": "SUCCEEDED", "model": "qwen-turbo", "finetuned_output": "qwen-ft-1"}}).model == "qwen-ft-1"
    )
    deploy = form.deploy("qwen-ft-1", {"capacity": 4})
    assert deploy is not None
    assert deploy.json == {"model_name": "qwen-ft-1", "capacity": 4}
    ready = form.deployed({"output": {"deployed_model": "qwen-ft-1-d", "status": "RUNNING"}})
    assert ready.ready
    assert ready.model == "qwen-ft-1-d"


def test_sensenova_uploads_bare_turns_and_waits_for_a_data_set() -> None:
    form = SenseNovaForm({"upload_url": "https://file.example/v1/files"})
    assert form.line({"messages": [{"role": "user", "content": "a"}]}) == [{"role": "user", "content": "a"}]
    upload = form.upload("t.jsonl", b"[]")
    assert upload.path == "https://file.example/v1/files"
    assert [p.name for p in upload.files] == ["description", "scheme", "file"]
    assert form.prepared({"dataset": {"id": "d-1", "status": "PROCESSING"}}) == ("d-1", False)
    assert form.prepared({"dataset": {"id": "d-1", "status": "READY"}}) == ("d-1", True)


def test_doubao_names_the_bucket_and_reads_metrics_a_step() -> None:
    form = DoubaoForm()
    s = RemoteSpec(
        "doubao", Endpoint("http://127.0.0.1:1"), "doubao-lite", "tos://mine/data/train.jsonl", arguments={"hyperparameters": {"epoch": 2}}
    )
    request = form.create(s, "", "")
    assert request.query == {"Action": "CreateModelCustomizationJob", "Version": "2024-01-01"}
    assert sent(request)["Data"] == {"TrainingSet": {"TosBucket": "mine", "TosPaths": ["data/train.jsonl"]}}
    assert sent(request)["Hyperparameters"] == [{"Name": "epoch", "Value": "2"}]
    events = form.read_events({"Result": {"Items": [
        {"Metric": "train_loss", "Samples": [{"Step": 1, "Value": 2.0}, {"Step": 2, "Value": 1.0}]},
        {"Metric": "val_loss", "Samples": [{"Step": 2, "Value": 1.5}]},
    ]}})  # fmt: skip
    assert [(e.step, dict(e.values)) for e in events] == [(1, {"loss": 2.0}), (2, {"loss": 1.0, "eval_loss": 1.5})]
    job = form.job({"Result": {"Id": "mcj-1", "Status": {"Phase": "Completed"}, "Outputs": [{"CustomModelId": "cm-1"}]}})
    assert (job.state, job.model) == ("succeeded", "cm-1")
    with pytest.raises(ArgumentError, match="customization_type"):
        form.check({"customization_type": "Sft"})


def test_volcengine_signatures_are_those_of_its_own_package() -> None:
    # The expected value was made with volcenginesdk-core 5.0.54 for the same request, keys and time.
    url = "https://open.volcengineapi.com/?Action=GetModelCustomizationJob&Version=2024-01-01"
    request = HttpRequest("POST", "/", content=b'{"Id":"mcj-1"}')
    _, headers = sign({"access_key": "AKTEST", "secret_key": "SKTEST"}, request, url, now=datetime(2026, 1, 2, 3, 4, 5))
    assert headers["Authorization"].endswith("Signature=b859ce30f22872e05a28dce189cbe4dde6122a2b471f7cbbab6d0f6c6922d123")


def test_unknown_arguments_are_refused_with_the_nearest() -> None:
    with pytest.raises(ArgumentError, match="n_epochs"):
        OpenAIForm().check({"n_epoch": 2})


def test_every_faulty_row_is_named(tmp_path: Path) -> None:
    good = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}'
    bad = '{"messages": [{"role": "user", "content": "a"}]}'
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(bad if i % 2 else good for i in range(200)) + "\nno json\n")
    with pytest.raises(DataError) as e:
        write_messages(file, role="train", folder=tmp_path / "out")
    named = {int(n) for n in re.findall(r"line (\d+)", str(e.value))}
    assert named == {*range(2, 201, 2), 201}
    assert "100 other rows are good" in str(e.value)
    assert not list((tmp_path / "out").glob("*"))


def test_rows_of_other_forms_become_messages(tmp_path: Path) -> None:
    found = write_messages([{"instruction": "q", "output": "a"}] * 3, role="train", folder=tmp_path)
    assert Path(found.path).read_text().splitlines()[0] == '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}'
    with pytest.raises(DataError, match="10"):
        write_messages([{"instruction": "q", "output": "a"}] * 3, role="train", folder=tmp_path, minimum=10)
