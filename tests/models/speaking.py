"""How each protocol words an answer and an error, so that one table of faults can try them all."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from safemark.models.anthropic import Anthropic
from safemark.models.completions import Completions
from safemark.models.google import Google
from safemark.models.http import Endpoint, HttpModel
from safemark.models.openai_compatible import OpenAICompatible
from safemark.models.responses import Responses
from tests.serving import Answer, completion, sends

KEY = "sk-never-to-be-seen-0123456789"


@dataclass(frozen=True)
class Protocol:
    """``reply(text)`` and ``error(status, message, code)`` are bodies as the provider has them."""

    name: str
    make: Callable[..., HttpModel]
    reply: Callable[[str], dict[str, Any]]
    error: Callable[[int, str, str | None], Any]
    key_header: str
    path: str

    def model(self, url: str, **more: Any) -> HttpModel:
        endpoint = Endpoint(
            base_url=url,
            api_key=KEY,
            key_variable="THE_KEY",
            timeout_s=more.pop("timeout_s", 10.0),
        )
        return self.make("m", endpoint, name=f"{self.name}/m", **more)

    def says(self, text: str) -> Answer:
        return sends(json.dumps(self.reply(text)).encode())

    def fails(self, status: int, message: str, code: str | None = None, **headers: str) -> Answer:
        return sends(json.dumps(self.error(status, message, code)).encode(), status, **headers)


def openai_error(_status: int, message: str, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "error", "code": code}}


def anthropic_error(_status: int, message: str, code: str | None) -> dict[str, Any]:
    return {"type": "error", "error": {"type": code or "api_error", "message": message}}


def google_error(status: int, message: str, code: str | None) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": code or "INTERNAL"}}


def text_completion(text: str, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "text": text, "finish_reason": "stop", "logprobs": None, **more}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {"object": "text_completion", "model": "served", "choices": [choice], "usage": usage}


def response(text: str, **more: Any) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {
        "object": "response",
        "status": "completed",
        "model": "served",
        "output": [{"type": "message", "role": "assistant", "content": [part]}],
        "usage": {"input_tokens": 10, "output_tokens": 5},
        **more,
    }


def anthropic_message(text: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "role": "assistant",
        "model": "served",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "output_tokens": 5},
        **more,
    }


def generated(text: str, **of_candidate: Any) -> dict[str, Any]:
    candidate = {
        "content": {"role": "model", "parts": [{"text": text}]},
        "finishReason": "STOP",
        **of_candidate,
    }
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
    return {"candidates": [candidate], "modelVersion": "served", "usageMetadata": usage}


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "chat", OpenAICompatible, completion, openai_error, "Authorization", "chat/completions"
        ),
        Protocol(
            "completions",
            Completions,
            text_completion,
            openai_error,
            "Authorization",
            "completions",
        ),
        Protocol("responses", Responses, response, openai_error, "Authorization", "responses"),
        Protocol(
            "anthropic", Anthropic, anthropic_message, anthropic_error, "x-api-key", "messages"
        ),
        Protocol(
            "google",
            Google,
            generated,
            google_error,
            "x-goog-api-key",
            "models/m:generateContent",
        ),
    )
}
