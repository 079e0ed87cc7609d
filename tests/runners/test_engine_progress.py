"""From the lines of each engine to how far it is. The lines are the engines' own, those for GPUs from their sources and reports."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from workbench.runners.engine_progress import FLAVOURS, PHASES, Progress, listening, reader

VLLM = """
(APIServer pid=18343) INFO 11-21 08:29:42 [model.py:733] Resolved architecture: Qwen3ForCausalLM
(EngineCore pid=18572) INFO 11-21 08:29:48 [core.py:133] Initializing a V1 LLM engine (v0.32.0) with config: load_format=auto
(Worker pid=18604) INFO 11-21 08:29:54 [gpu_model_runner.py:68] Starting to load model /models/Qwen3-8B...
Loading safetensors checkpoint shards:   0% Completed | 0/5 [00:00<?, ?it/s]
Loading safetensors checkpoint shards:  40% Completed | 2/5 [00:02<00:03,  1.00it/s]
Loading safetensors checkpoint shards: 100% Completed | 5/5 [00:05<00:00,  1.00it/s]

(Worker pid=18604) INFO 11-21 08:29:55 [default_loader.py:501] Loading weights took 5.02 seconds
(EngineCore pid=18572) INFO 11-21 08:30:01 [backends.py:548] Dynamo bytecode transform time: 4.52 s
(EngineCore pid=18572) INFO 11-21 08:30:21 [monitor.py:34] torch.compile takes 24.31 s in total
(EngineCore pid=18572) INFO 11-21 08:30:22 [gpu_worker.py:276] Available KV cache memory: 4.83 GiB
(EngineCore pid=18572) INFO 11-21 08:30:22 [kv_cache_utils.py:1087] GPU KV cache size: 35,152 tokens
Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  10%|#         | 5/51 [00:01<00:10,  4.10it/s]
Capturing CUDA graphs (mixed prefill-decode, PIECEWISE): 100%|##########| 51/51 [00:11<00:00,  4.51it/s]
(EngineCore pid=18572) INFO 11-21 08:30:35 [gpu_model_runner.py:3480] Graph capturing finished in 12 secs, took 0.61 GiB
(APIServer pid=18343) INFO 11-21 08:30:36 [entry.py:140] Starting vLLM server on http://127.0.0.1:8123
"""
SGLANG = """
[2026-11-21 08:00:00 TP0] Load weight begin. avail mem=78.58 GB
Multi-thread loading shards:  50% Completed | 2/4 [00:00<00:00,  4.32it/s]
[2026-11-21 08:00:03 TP0] Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=63.50 GB, mem usage=15.08 GB.
[2026-11-21 08:00:03 TP0] KV Cache is allocated. #tokens: 20480, K size: 1.25 GB, V size: 1.25 GB
[2026-11-21 08:00:03 TP0] Capture cuda graph begin. This can take up to several minutes. avail mem=60.1 GB
Capturing batches (bs=8 avail_mem=59.9 GB):  25%|##5       | 1/4 [00:00<00:01,  2.6it/s]
[2026-11-21 08:00:09] The server is fired up and ready to roll!
"""
LMDEPLOY = """
Fetching 11 files:  18%|#8        | 2/11 [00:02<00:10,  1.18s/it]
Loading weights from safetensors:  50%|#####     | 1/2 [00:01<00:01,  1.18s/it]
Convert to turbomind format:  25%|##5       | 8/32 [00:03<00:09,  2.5it/s]
[TM][INFO] [BlockManager] max_block_count = 512
HINT:    Please open http://127.0.0.1:23333 in a browser for detailed api usage!!!
"""
OTHERS = {
    "torch": """Loading checkpoint shards:  25%|##5       | 1/4 [00:00<00:01,  2.6it/s]
Loading weights:  50%|#####     | 145/290 [00:00<00:00]""",
    "llama_cpp": """load_tensors: loading model tensors, this can take a while... (mmap = true)
llama_kv_cache: size =  448.00 MiB
common_init: warming up the model with an empty run""",
    "infinity": """sentence_transformers.SentenceTransformer INFO: Load pretrained SentenceTransformer: x
Getting timings for batch_size=32""",
    "lightllm": """pre-loading weights:  50%|#####     | 1/2 [00:01<00:01]
INFO 11-21 begin check max_len infer
INFO:     Uvicorn running on http://127.0.0.1:8000""",
}


def phases(flavour: str, text: str) -> list[tuple[str, float | None, float | None, str]]:
    progress = Progress(flavour)
    events = filter(None, map(progress.take, text.splitlines()))
    return [(e["phase"], e.get("done"), e.get("total"), e.get("unit", "")) for e in events]


def test_vllm_on_a_gpu_goes_through_all_its_phases() -> None:
    assert phases("vllm", VLLM) == [
        ("start", None, None, ""),
        ("weights", None, None, ""),
        ("weights", 0, 5, "shards"),
        ("weights", 2, 5, "shards"),
        ("weights", 5, 5, "shards"),
        ("weights", None, None, ""),
        ("compile", None, None, ""),
        ("cache", None, None, ""),
        ("warmup", 5, 51, "shapes"),
        ("warmup", 51, 51, "shapes"),
        ("warmup", None, None, ""),
        ("serve", None, None, ""),
    ]


def test_sglang_and_lmdeploy_are_followed() -> None:
    assert [p for p, *_ in phases("sglang", SGLANG)] == ["weights", "weights", "weights", "cache", "warmup", "warmup", "serve"]
    assert phases("sglang", SGLANG)[1] == ("weights", 2, 4, "shards")
    assert phases("lmdeploy", LMDEPLOY) == [
        ("download", 2, 11, "files"),
        ("weights", 1, 2, "shards"),
        ("weights", 25, 100, "%"),
        ("cache", None, None, ""),
        ("serve", None, None, ""),
    ]


@pytest.mark.parametrize("flavour", sorted(OTHERS))
def test_the_others_are_followed(flavour: str) -> None:
    found = [phase for phase, *_ in phases(flavour, OTHERS[flavour])]
    assert len(found) == len(OTHERS[flavour].splitlines())
    assert found == sorted(found, key=PHASES.index)


def test_progress_never_goes_back_and_tells_nothing_twice() -> None:
    progress = Progress("vllm")
    assert progress.take("INFO [monitor.py:34] torch.compile takes 24.31 s in total")
    assert progress.take("INFO [monitor.py:34] torch.compile takes 24.31 s in total") is None
    assert progress.take("Loading safetensors checkpoint shards:  40% Completed | 2/5 [00:02<00:03,  1.00it/s]") is None
    assert progress.take("a line of something else: 50%|##| 1/2") is None


def test_the_time_left_comes_from_the_pace() -> None:
    progress = Progress("vllm")
    line = "Loading safetensors checkpoint shards:  40% Completed | {}/5 [00:02<00:03,  1.00it/s]"
    assert "eta" not in (progress.take(line.format(1)) or {})
    second = progress.take(line.format(2))
    assert second is not None
    assert second["eta"] >= 0


@pytest.mark.parametrize("flavour", sorted(FLAVOURS))
def test_any_line_may_come(flavour: str) -> None:
    progress = Progress(flavour)
    for line in ("", "\x00", "50%|" * 1000, "a" * 100_000):
        assert progress.take(line) is None
    huge = progress.take("Fetching 99999999999999999999 files: 1%| | 1/2")
    assert huge is None or huge["total"] == 1e20  # some engines download nothing


def test_a_reader_reports_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_EVENTS", str(tmp_path / "events"))
    hear = reader("vllm")
    for line in VLLM.splitlines():
        hear(line)
    reader("nobody's")("Loading safetensors checkpoint shards:  40% Completed | 2/5")
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert len(events) == 12
    assert {key: events[3][key] for key in ("event", "phase", "text", "done", "total", "unit")} == {
        "event": "progress",
        "phase": "weights",
        "text": "Loading the weights",
        "done": 2,
        "total": 5,
        "unit": "shards",
    }


def test_the_parts_of_a_pipeline_count_and_not_what_is_said_of_each() -> None:
    text = """Loading pipeline components...:   0%|          | 0/3 [00:00<?, ?it/s]
Loading weights: 100%|##########| 290/290 [00:00<00:00]
Loading pipeline components...: 100%|##########| 3/3 [00:01<00:00,  2.1it/s]"""
    assert phases("torch", text) == [("weights", 0, 3, "components"), ("weights", 3, 3, "components")]


def test_an_engine_in_this_process_is_heard_while_it_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_EVENTS", str(tmp_path / "events"))
    before = sys.stderr
    with listening("torch"):
        for i in range(3):
            sys.stderr.write(f"\rLoading weights:  50%|#####     | {i}/2 [00:00<00:00]")
        print(file=sys.stderr, flush=True)
    assert sys.stderr is before
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert [(e["done"], e["total"], e["unit"]) for e in events] == [(0, 2, "tensors"), (1, 2, "tensors"), (2, 2, "tensors")]
