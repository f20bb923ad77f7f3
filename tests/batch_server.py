"""A server that keeps batches as OpenAI and Anthropic do, and answers single questions as well.

``with BatchServer(answer) as server:`` ``answer`` is told each question and gives a text, or a
status and a message for a line that fails. ``server.end()`` lets batches that were handed in end.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.serving import Server, completion

Given = str | tuple[int, str]
Ending = str
"""completed (anthropic: ended), expired, cancelled or failed."""


@dataclass
class Job:
    """One batch as the server keeps it."""

    id: str
    requests: list[dict[str, Any]]
    metadata: dict[str, str]
    made: float = field(default_factory=time.time)
    status: str = "validating"
    answered: int = 0
    looks: int = 0


class BatchServer(Server):
    """Both protocols on one address."""

    def __init__(self, answer: Callable[[str], Given] = lambda _text: "ok") -> None:
        super().__init__()
        self.give = answer
        self.jobs: dict[str, Job] = {}
        self.files: dict[str, bytes] = {}
        self.direct: list[str] = []
        self.keys: list[str] = []
        self.ending: Ending | None = None
        self.share = 1.0
        self.refuses: web.Response | None = None
        self.loses_the_reply = self.hangs_after_taking = False
        self.tears_the_results = self.brings_nothing = False

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def end(self, ending: Ending = "completed", share: float = 1.0) -> None:
        """From now on batches have ended so, with that share of their questions answered."""
        self.ending, self.share = ending, share

    def end_these(self, ending: Ending, share: float) -> None:
        """The same for the batches that are here now, and for none that come."""
        for job in self.jobs.values():
            job.status, job.answered = ending, round(len(job.requests) * share)

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("Authorization", request.headers.get("x-api-key", "")))
        path = request.path.removeprefix("/v1")
        if path in ("/chat/completions", "/messages"):
            body = await request.json()
            self.direct.append(body["messages"][-1]["content"])
            return _response(*self._answer_to(body, path == "/messages"))
        if path == "/files":
            return await self._upload(request)
        if path.startswith("/files/"):
            return await self._results_of(request, self.files[path.split("/")[2]])
        if path == "/batches":
            return await self._batches(request)
        if path.startswith("/batches/"):
            return web.json_response(self._openai(self._looked_at(path.split("/")[2])))
        if path == "/messages/batches":
            return await self._message_batches(request)
        if path.endswith("/results"):
            results = self._results(self.jobs[path.split("/")[3]])
            return await self._results_of(request, results.encode())
        return web.json_response(self._anthropic(self._looked_at(path.split("/")[3])))

    async def _results_of(self, request: web.Request, content: bytes) -> web.StreamResponse:
        if not self.tears_the_results:
            return web.Response(body=content)
        response = web.StreamResponse(headers={"Content-Length": str(len(content))})
        await response.prepare(request)
        await response.write(content[: len(content) * 2 // 3])
        assert request.transport is not None
        request.transport.abort()
        return response

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "batch"
        file = form["file"]
        assert isinstance(file, web.FileField)
        name = f"file-{len(self.files)}"
        self.files[name] = file.file.read()
        return web.json_response({"id": name, "object": "file"})

    async def _batches(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            jobs = sorted(self.jobs.values(), key=lambda job: -job.made)
            after = request.query.get("after")
            begin = [job.id for job in jobs].index(after) + 1 if after else 0
            page = jobs[begin : begin + 2]
            listed = [self._openai(job) for job in page]
            return web.json_response({"data": listed, "has_more": begin + 2 < len(jobs)})
        if self.refuses is not None:
            return self.refuses
        body = await request.json()
        assert body["completion_window"] == "24h"
        lines = self.files[body["input_file_id"]].splitlines()
        requests = [json.loads(line) for line in lines]
        assert all(line["url"] == body["endpoint"] == "/v1/chat/completions" for line in requests)
        job = self._kept(requests, body["metadata"])
        if self.hangs_after_taking:
            await asyncio.sleep(60)
        if self.loses_the_reply:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(self._openai(job))

    async def _message_batches(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            jobs = sorted(self.jobs.values(), key=lambda job: -job.made)
            return web.json_response({"data": [self._anthropic(job) for job in jobs]})
        if self.refuses is not None:
            return self.refuses
        job = self._kept((await request.json())["requests"], {})
        if self.loses_the_reply:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(self._anthropic(job))

    def _kept(self, requests: list[dict[str, Any]], metadata: dict[str, str]) -> Job:
        ids = [line["custom_id"] for line in requests]
        assert len(set(ids)) == len(ids), "a custom id stands for one request"
        job = Job(f"batch_{len(self.jobs)}", requests, metadata)
        self.jobs[job.id] = job
        return job

    def _looked_at(self, name: str) -> Job:
        job = self.jobs[name]
        job.looks += 1
        if job.status in ("validating", "in_progress"):
            job.status = self.ending or "in_progress"
            job.answered = round(len(job.requests) * self.share) if self.ending else 0
        return job

    def _answer_to(self, body: dict[str, Any], is_anthropic: bool) -> tuple[int, dict[str, Any]]:
        given = self.give(body["messages"][-1]["content"])
        if isinstance(given, tuple):
            status, message = given
            kind = "invalid_request_error" if status == 400 else "overloaded_error"
            return status, {"error": {"type": kind, "message": message}}
        if not is_anthropic:
            return 200, completion(given)
        content = [{"type": "text", "text": given}]
        usage = {"input_tokens": 10, "output_tokens": 5}
        return 200, {"content": content, "stop_reason": "end_turn", "usage": usage}

    def _openai(self, job: Job) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": job.id,
            "status": job.status,
            "metadata": job.metadata,
            "created_at": int(job.made),
            "request_counts": {"total": len(job.requests), "completed": job.answered, "failed": 0},
        }
        if job.status == "failed":
            shown["errors"] = {"data": [{"code": "invalid", "message": "line 1 is no request"}]}
        elif job.status not in ("validating", "in_progress"):
            good: list[dict[str, Any]] = []
            bad: list[dict[str, Any]] = []
            for line in reversed(job.requests[: job.answered]):
                status, body = self._answer_to(line["body"], is_anthropic=False)
                response = {"status_code": status, "request_id": "r", "body": body}
                told = {"custom_id": line["custom_id"], "response": response, "error": None}
                (good if status == 200 else bad).append(told)
            if job.status == "expired":
                error = {"code": "batch_expired", "message": "expired"}
                bad += [
                    {"custom_id": line["custom_id"], "response": None, "error": error}
                    for line in job.requests[job.answered :]
                ]
            if self.brings_nothing:
                good, bad = [], []
            self.files[f"out-{job.id}"] = _lines(good)
            self.files[f"bad-{job.id}"] = _lines(bad)
            shown["output_file_id"] = f"out-{job.id}" if good else None
            shown["error_file_id"] = f"bad-{job.id}" if bad else None
        return shown

    def _anthropic(self, job: Job) -> dict[str, Any]:
        is_ended = job.status not in ("validating", "in_progress")
        left = len(job.requests) - job.answered
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        counts["succeeded"] = job.answered
        name = {"expired": "expired", "cancelled": "canceled"}.get(job.status, "processing")
        counts[name] += left
        return {
            "id": job.id,
            "processing_status": "ended" if is_ended else "in_progress",
            "created_at": datetime.fromtimestamp(job.made, UTC).isoformat(),
            "request_counts": counts,
            "results_url": "http://elsewhere.invalid/results",
        }

    def _results(self, job: Job) -> str:
        lines = []
        for line in job.requests[: job.answered]:
            status, body = self._answer_to(line["params"], is_anthropic=True)
            result: dict[str, Any] = {"type": "succeeded", "message": body}
            if status != 200:
                result = {"type": "errored", "error": {"type": "error", **body}}
            lines.append({"custom_id": line["custom_id"], "result": result})
        word = "expired" if job.status == "expired" else "canceled"
        lines += [
            {"custom_id": line["custom_id"], "result": {"type": word}}
            for line in job.requests[job.answered :]
        ]
        return "" if self.brings_nothing else _lines(reversed(lines)).decode()


def _lines(lines: Any) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def _response(status: int, body: dict[str, Any]) -> web.Response:
    return web.json_response(body, status=status)
