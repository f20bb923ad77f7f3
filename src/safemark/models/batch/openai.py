"""OpenAI's batches: a file is uploaded, a batch made of it, a file of answers comes back.

A batch bears our job in its metadata, so that one that was handed in by a process that died is
found again. https://platform.openai.com/docs/api-reference/batch
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from safemark.errors import CallFailed
from safemark.models.batch.service import Answer, Asks, Request, Standing, not_asked, parsed_key
from safemark.models.batch.wire import FIRST_WAIT_S, Wire, named, segment
from safemark.models.http import HttpModel
from safemark.types import Ask, Reason, Reply

_PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}
_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_LATE_S = 3600
"""Clocks differ: a batch this much older than our attempt may still be it."""


class OpenAIBatches:
    """The batches of one model."""

    finds_for_certain = True

    def __init__(self, model: HttpModel, first_wait_s: float = FIRST_WAIT_S) -> None:
        self._wire = Wire(model, first_wait_s)
        self._model = model
        self._path = _PATHS[model.protocol]

    async def close(self) -> None:
        await self._wire.close()

    async def submit(self, job: str, requests: Sequence[Request]) -> str:
        """Upload the requests and make a batch of them; the batch's id. Raises `CallFailed`."""
        content = b"".join(self._line(request) for request in requests)
        file = await self._wire.upload("files", f"safemark-{job}.jsonl", content, purpose="batch")
        made = await self._wire.post(
            "batches",
            {
                "input_file_id": named(file, "id"),
                "endpoint": self._path,
                "completion_window": "24h",
                "metadata": {"safemark_job": job},
            },
        )
        return named(made, "id")

    async def find(
        self,
        job: str,
        keys: frozenset[bytes],  # noqa: ARG002 - the job is enough
        since: str,
        known: frozenset[str],  # noqa: ARG002 - the same
    ) -> str | None:
        """The batch that bears ``job``, among those made since. Raises `CallFailed`."""
        oldest = datetime.fromisoformat(since).timestamp() - _LATE_S
        query = {"limit": "100"}
        while True:
            page = await self._wire.get("batches", **query)
            batches = [one for one in page.get("data") or [] if isinstance(one, dict)]
            for batch in batches:
                if (batch.get("metadata") or {}).get("safemark_job") == job:
                    return named(batch, "id")
            made = [batch.get("created_at") for batch in batches]
            is_past = any(isinstance(at, int | float) and at < oldest for at in made)
            if not batches or is_past or not page.get("has_more"):
                return None
            query["after"] = named(batches[-1], "id")

    async def look(self, remote_id: str) -> Standing:
        """How far a batch is. Raises `CallFailed`."""
        batch = await self._wire.get(f"batches/{segment(remote_id)}")
        status = named(batch, "status")
        counts = batch.get("request_counts") or {}
        return Standing(
            is_ended=status in _ENDED,
            total=counts.get("total") or 0,
            done=counts.get("completed") or 0,
            failed=counts.get("failed") or 0,
            status=status,
            why=_whys(batch) if status == "failed" else "",
            is_cancelled=status == "cancelled",
        )

    async def answers(self, remote_id: str, asks: Asks) -> AsyncGenerator[Answer]:
        """Everything in the batch's two files. Raises `CallFailed`."""
        batch = await self._wire.get(f"batches/{segment(remote_id)}")
        for name in ("output_file_id", "error_file_id"):
            if file := batch.get(name):
                async for line in self._wire.lines(f"files/{segment(str(file))}/content"):
                    key = parsed_key(line.get("custom_id"))
                    ask = None if key is None else asks.get(key)
                    if key is not None and ask is not None:
                        yield Answer(key, self._reply(line, ask))

    def _line(self, request: Request) -> bytes:
        line = {
            "custom_id": request.key.hex(),
            "method": "POST",
            "url": self._path,
            "body": self._model.request_body(request.messages, request.ask),
        }
        return msgspec.json.encode(line) + b"\n"

    def _reply(self, line: Any, ask: Ask) -> Reply | CallFailed:
        response = line.get("response")
        if not isinstance(response, dict):
            error = line.get("error") or {}
            if error.get("code") in ("batch_expired", "batch_cancelled"):
                return not_asked(error["code"].removeprefix("batch_"))
            why = str(error.get("message") or "the line has no response")[:300]
            return CallFailed(Reason.SERVER_ERROR, why)
        content = msgspec.json.encode(response.get("body"))
        status = response.get("status_code")
        try:
            if status != 200:
                raise self._model.refusal(status if isinstance(status, int) else 500, {}, content)
            return self._model.read_reply(content, ask)
        except CallFailed as failure:
            return failure


def _whys(batch: Any) -> str:
    """Why a batch was not taken."""
    errors = (batch.get("errors") or {}).get("data") or []
    told = [str(error.get("message") or error.get("code")) for error in errors if error]
    return "; ".join(told[:3])[:600] or "the provider does not say why"
