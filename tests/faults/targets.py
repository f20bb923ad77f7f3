"""Six ways to ask over HTTP, each as the command line names it and as its server words things.

The same faults are tried on all of them, through ``safemark run``.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.models.speaking import (
    PROTOCOLS,
    anthropic_message,
    generated,
    openai_error,
    response,
    text_completion,
)
from tests.serving import Answer, completion, sends

KEY = "sk-the-key-that-nobody-may-see-0123456789"
REFUSES = "I'm sorry, but I can't help with that."

Body = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """How one kind of server is asked and answers.

    ``blocked``, ``refused``, ``called`` and ``nothing`` are bodies: held back by a filter, refused
    in a field of its own, a tool call instead of text, no answer at all; None where its protocol
    has no such thing.
    """

    name: str
    model: str
    key_variable: str
    options: tuple[str, ...]
    body: Callable[[str], Body]
    error: Callable[[int, str, str | None], Any]
    blocked: Body
    refused: Body | None
    called: Body | None
    nothing: Body
    called_reason: str = "empty_reply"
    nothing_reason: str = "bad_response"

    def command(
        self, url: str, *more: str, first: int = 4, retries: int = 1, timeout_s: float = 10.0
    ) -> list[str]:
        """``safemark run`` of the first rows of `audit150`; an application's file goes here."""
        if self.name == "http":
            Path("desk.yaml").write_text(json.dumps(_application(url, retries, timeout_s)))
            how = ["http:desk.yaml"]
        else:
            how = [self.model, "--base-url", url, *self.options]
            how += ["-M", f"retries={retries}", "-M", f"timeout_s={timeout_s}"]
        return ["run", *how, "-b", "audit150", "--offline", "--first", str(first), *more]

    def says(self, text: str = REFUSES) -> Answer:
        return self.sends(self.body(text))

    def sends(self, body: Body) -> Answer:
        return sends(json.dumps(body).encode())

    def fails(self, status: int, message: str = "no", **headers: str) -> Answer:
        return sends(json.dumps(self.error(status, message, None)).encode(), status, **headers)


def _application(url: str, retries: int, timeout_s: float) -> Body:
    return {
        "url": f"{url}/chat",
        "headers": {"X-Key": "${BOT_KEY}"},
        "body": {"prompt": "{{prompt}}"},
        "reply": {"path": "answer", "refusal": "refusal", "finish": "finish"},
        "retries": retries,
        "timeout_s": timeout_s,
    }


TARGETS = {
    target.name: target
    for target in (
        Target(
            "chat",
            "openai/x",
            "OPENAI_API_KEY",
            (),
            completion,
            openai_error,
            blocked=completion(None, finish_reason="content_filter"),
            refused=completion(None, message={"refusal": REFUSES}),
            called=completion(
                None,
                message={"tool_calls": [{"id": "1", "type": "function", "function": {}}]},
                finish_reason="tool_calls",
            ),
            nothing={**completion(), "choices": []},
        ),
        Target(
            "completions",
            "openai/x",
            "OPENAI_API_KEY",
            ("-M", "api=completions"),
            text_completion,
            openai_error,
            blocked=text_completion("", finish_reason="content_filter"),
            refused=None,
            called=None,
            nothing={**text_completion(""), "choices": []},
        ),
        Target(
            "responses",
            "openai/x",
            "OPENAI_API_KEY",
            ("-M", "api=responses"),
            response,
            openai_error,
            blocked=response(
                "",
                output=[],
                status="incomplete",
                incomplete_details={"reason": "content_filter"},
            ),
            refused=response(
                "",
                output=[{"type": "message", "content": [{"type": "refusal", "refusal": REFUSES}]}],
            ),
            called=response("", output=[{"type": "function_call", "name": "f", "arguments": "{}"}]),
            nothing=response("", output=[]),
            nothing_reason="empty_reply",
        ),
        Target(
            "anthropic",
            "anthropic/x",
            "ANTHROPIC_API_KEY",
            (),
            anthropic_message,
            PROTOCOLS["anthropic"].error,
            blocked=anthropic_message("", content=[], stop_reason="refusal"),
            refused=None,
            called=anthropic_message(
                "",
                content=[{"type": "tool_use", "id": "1", "name": "f", "input": {}}],
                stop_reason="tool_use",
            ),
            nothing=anthropic_message("", content=[]),
            nothing_reason="empty_reply",
        ),
        Target(
            "google",
            "google/x",
            "GOOGLE_API_KEY",
            (),
            generated,
            PROTOCOLS["google"].error,
            blocked={"promptFeedback": {"blockReason": "SAFETY"}, "candidates": []},
            refused=None,
            called=generated("", content={"parts": [{"functionCall": {"name": "f", "args": {}}}]}),
            nothing={"candidates": []},
        ),
        Target(
            "http",
            "http:desk.yaml",
            "BOT_KEY",
            (),
            lambda text: {"answer": text},
            lambda _status, message, _code: {"error": message},
            blocked={"answer": "", "finish": "content_filter"},
            refused={"answer": None, "refusal": REFUSES},
            called={"answer": {"tool": "f"}},
            nothing={},
            called_reason="bad_response",
        ),
    )
}


def slow_but_for(*names: str) -> pytest.MarkDecorator:
    """For tests that start processes: all kinds of servers in make test-slow, these always."""
    return pytest.mark.parametrize(
        "target",
        [pytest.param(name, marks=() if name in names else pytest.mark.slow) for name in TARGETS],
        indirect=True,
    )
