"""Anthropic's batches: the requests go in directly, results come back as lines, in no order.

A batch bears nothing of ours but its requests, and those show only with the results. So one that
may have been handed in by a process that died is looked for by time and size, and known for
certain when its results bear our keys. https://docs.anthropic.com/en/api/creating-message-batches
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

import msgspec

from safemark.errors import CallFailed
from safemark.models.batch.service import Answer, Asks, Request, Standing, not_asked, parsed_key
from safemark.models.batch.wire import FIRST_WAIT_S, Wire, named, segment
from safemark.models.http import HttpModel
from safemark.types import Ask, Reason, Reply

_PATH = "v1/messages/batches"
_COUNTS = ("processing", "succeeded", "errored", "canceled", "expired")
_LATE_S = 3600
_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class AnthropicBatches:
    """The batches of one model."""

    finds_for_certain = False

    def __init__(self, model: HttpModel, first_wait_s: float = FIRST_WAIT_S) -> None:
        self._wire = Wire(model, first_wait_s)
        self._model = model

    async def close(self) -> None:
        await self._wire.close()

    async def submit(self, job: str, requests: Sequence[Request]) -> str:  # noqa: ARG002
        """Hand in; the batch's id. Raises `CallFailed`."""
        lines = [
            {
                "custom_id": request.key.hex(),
                "params": msgspec.to_builtins(
                    self._model.request_body(request.messages, request.ask)
                ),
            }
            for request in requests
        ]
        return named(await self._wire.post(_PATH, {"requests": lines}), "id")

    async def find(
        self,
        job: str,  # noqa: ARG002 - it bears nothing of ours
        keys: frozenset[bytes],
        since: str,
        known: frozenset[str],
    ) -> str | None:
        """A batch of that size made since, not known here; ours where its results say so.

        While it is under way nothing says so, and it is taken for ours. Raises `CallFailed`.
        """
        oldest = datetime.fromisoformat(since).timestamp() - _LATE_S
        query = {"limit": "100"}
        while True:
            page = await self._wire.get(_PATH, **query)
            batches = [one for one in page.get("data") or [] if isinstance(one, dict)]
            for batch in batches:
                if _made(batch) < oldest:
                    return None
                found = named(batch, "id")
                if found not in known and sum(_counts(batch)) == len(keys):
                    ended = batch.get("processing_status") == "ended"
                    if not ended or await self._holds(found, keys):
                        return found
            if not batches or not page.get("has_more"):
                return None
            query["after_id"] = named(batches[-1], "id")

    async def look(self, remote_id: str) -> Standing:
        """How far a batch is. Raises `CallFailed`."""
        batch = await self._wire.get(f"{_PATH}/{segment(remote_id)}")
        counts = _counts(batch)
        _, succeeded, errored, canceled, _ = counts
        status = named(batch, "processing_status")
        return Standing(
            is_ended=status == "ended",
            total=sum(counts),
            done=succeeded,
            failed=errored,
            status=status,
            is_cancelled=status == "ended" and canceled > 0,
        )

    async def answers(self, remote_id: str, asks: Asks) -> AsyncGenerator[Answer]:
        """Every line of the results. Raises `CallFailed`."""
        # not `results_url`: the key goes to the address that was named, and nowhere else
        async for line in self._wire.lines(f"{_PATH}/{segment(remote_id)}/results"):
            key = parsed_key(line.get("custom_id"))
            ask = None if key is None else asks.get(key)
            if key is not None and ask is not None:
                yield Answer(key, self._reply(line.get("result") or {}, ask))

    async def _holds(self, remote_id: str, keys: frozenset[bytes]) -> bool:
        """Whether the results of an ended batch bear our keys; its first line tells."""
        try:
            async with aclosing(self._wire.lines(f"{_PATH}/{segment(remote_id)}/results")) as lines:
                async for line in lines:
                    return parsed_key(line.get("custom_id")) in keys
        except CallFailed as failure:
            if failure.reason not in (Reason.BAD_REQUEST, Reason.UNKNOWN_MODEL):
                raise
        return False

    def _reply(self, result: Any, ask: Ask) -> Reply | CallFailed:
        kind = result.get("type")
        if kind in ("expired", "canceled"):
            return not_asked(kind)
        try:
            if kind == "succeeded":
                return self._model.read_reply(msgspec.json.encode(result.get("message")), ask)
            error = result.get("error") or {}
            inner: dict[str, Any] = error.get("error") or error
            status = _STATUSES.get(str(inner.get("type")), 500)
            raise self._model.refusal(status, {}, msgspec.json.encode({"error": inner}))
        except CallFailed as failure:
            return failure


def _made(batch: Any) -> float:
    """When a batch was made; now-ish where it does not say, so that it is looked at."""
    try:
        return datetime.fromisoformat(str(batch.get("created_at"))).timestamp()
    except ValueError:
        return float("inf")


def _counts(batch: Any) -> list[int]:
    counts = batch.get("request_counts") or {}
    return [int(counts.get(name) or 0) for name in _COUNTS]
