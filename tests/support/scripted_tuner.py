"""A vendor that fine-tunes, in OpenAI's published form: files, jobs, events, chat. It trains nothing; a job takes as many looks as it is told."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Tuner:
    """The vendor. ``looks`` is how often a job is looked at before it has succeeded; ``ends`` how it ends."""

    def __init__(self, looks: int = 4, ends: str = "succeeded") -> None:
        self.looks, self.ends = looks, ends
        self.files: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.seen: dict[str, int] = {}
        self.requests: list[tuple[str, str]] = []
        self.created: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.refuse_looks = 0
        self.page = 100
        self.takes_files = threading.Event()  # cleared, an upload is not answered
        self.takes_files.set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def job(self, job_id: str) -> dict[str, Any]:
        job = self.jobs[job_id]
        self.seen[job_id] = self.seen.get(job_id, 0) + 1
        if job["status"] not in ("cancelled", "failed", "succeeded"):
            job["status"] = "queued" if self.seen[job_id] < 2 else "running"
            if self.seen[job_id] >= self.looks:
                job["status"] = self.ends
                if self.ends == "failed":
                    job["error"] = {"code": "invalid_training_file", "message": "The file has too few examples.", "param": "training_file"}
                else:
                    job["fine_tuned_model"], job["trained_tokens"] = f"ft:{job['model']}:mine", 1234
        return job

    def events(self, job_id: str) -> list[dict[str, Any]]:
        steps = max(0, self.seen.get(job_id, 0) - 1)
        made = [
            {"id": "ev-0", "object": "fine_tuning.job.event", "created_at": 1, "level": "info", "message": "Created", "type": "message", "data": {}}
        ]
        for n in range(1, steps + 1):
            data = {"step": n, "total_steps": self.looks - 1, "train_loss": 2.0 / n, "valid_loss": 2.5 / n}
            text = f"Step {n}/{self.looks - 1}: training loss={2.0 / n:.2f}"
            made.append(
                {
                    "id": f"ev-{n}",
                    "object": "fine_tuning.job.event",
                    "created_at": 1 + n,
                    "level": "info",
                    "message": text,
                    "type": "metrics",
                    "data": data,
                }
            )
        return made[::-1]


def _handler(tuner: Tuner) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None: ...

        def answer(self, value: Any, status: int = 200) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def begun(self) -> str:
            tuner.keys.add(self.headers.get("Authorization", ""))
            path = self.path.split("?")[0].removeprefix("/v1")
            tuner.requests.append((self.command, path))
            return path

        def do_GET(self) -> None:
            path = self.begun()
            if path == "/fine_tuning/jobs":
                self.answer({"object": "list", "data": list(tuner.jobs.values())[::-1], "has_more": False})
            elif path.endswith("/events"):
                told, after = tuner.events(path.split("/")[-2]), self.path.partition("after=")[2]
                begin = next(i for i, e in enumerate(told) if e["id"] == after) + 1 if after else 0
                self.answer({"object": "list", "data": told[begin : begin + tuner.page], "has_more": begin + tuner.page < len(told)})
            elif tuner.refuse_looks > 0:
                tuner.refuse_looks -= 1
                self.answer({"error": {"message": "overloaded"}}, 503)
            else:
                self.answer(tuner.job(path.split("/")[-1]))

        def do_POST(self) -> None:
            path, body = self.begun(), self.body()
            if path == "/files":
                tuner.takes_files.wait(30)
                file_id = f"file-{len(tuner.files) + 1}"
                tuner.files[file_id] = body
                self.answer({"id": file_id, "object": "file", "bytes": len(body), "created_at": 1, "filename": "t.jsonl", "purpose": "fine-tune"})
            elif path == "/fine_tuning/jobs":
                given = json.loads(body)
                tuner.created.append(given)
                job = {
                    "id": f"ftjob-{len(tuner.jobs) + 1}", "object": "fine_tuning.job", "created_at": 1, "error": None, "fine_tuned_model": None,
                    "finished_at": None, "hyperparameters": {}, "model": given["model"], "organization_id": "org", "result_files": [], "seed": 0,
                    "status": "validating_files", "trained_tokens": None, "training_file": given["training_file"], "validation_file": None,
                }  # fmt: skip
                tuner.jobs[job["id"]] = job
                self.answer(job)
            elif path.endswith("/cancel"):
                job = tuner.jobs[path.split("/")[-2]]
                job["status"] = "cancelled"
                self.answer(job)
            else:
                model = json.loads(body)["model"]
                chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model}
                said = [{"index": 0, "delta": {"role": "assistant", "content": f"I am {model}"}, "finish_reason": "stop"}]
                text = f"data: {json.dumps({**chunk, 'choices': said})}\n\ndata: [DONE]\n\n".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

    return Handler
