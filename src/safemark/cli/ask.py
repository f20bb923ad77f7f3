"""``safemark ask``: one conversation with a model or an application, to see that it answers."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safemark.cli._options import BaseUrl, ModelOptions, SystemPrompt
from safemark.cli._output import emit, emit_json, harmless, say
from safemark.errors import CallFailed, SafemarkError

if TYPE_CHECKING:
    from safemark.models._model import Model
    from safemark.types import Ask, Reply


def ask(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="openai/gpt-4o-mini, http:FILE, …")],
    texts: Annotated[
        list[str],
        typer.Argument(metavar="TEXT", help="What is said; several are several turns."),
    ],
    system: SystemPrompt = None,
    temperature: Annotated[float, typer.Option(min=0.0, help="Sampling temperature.")] = 0.0,
    max_output_tokens: Annotated[int, typer.Option(min=1, help="Longest answer, in tokens.")] = 512,
    base_url: BaseUrl = None,
    options: ModelOptions = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the replies as JSON.")] = False,
) -> int:
    """Say something to a model or an application and show what comes back; nothing is stored."""
    import asyncio

    from safemark.cli._given import text_of
    from safemark.cli._judge import pairs
    from safemark.models.connect import connect, keys_from_dotenv
    from safemark.models.wrap import Retrying, layers
    from safemark.types import Ask

    keys_from_dotenv(Path(".env"))
    connected = connect(model, base_url=base_url, options=pairs(options or [], "-M"))
    for layer in layers(connected):
        if isinstance(layer, Retrying):
            layer.retries = 0  # somebody sits and waits
    settings = Ask(
        temperature=temperature,
        max_output_tokens=max_output_tokens,
        system=text_of(system, "--system"),
    )
    if not as_json:
        for note in getattr(connected, "notes", ()):
            say(f"note: {harmless(note)}")
    turns = asyncio.run(_conversation(connected, texts, settings, as_json))
    if as_json:
        import msgspec

        from safemark.secrets import scrubbed_bytes

        told = {"model": connected.name, "turns": turns}
        emit_json(msgspec.json.decode(scrubbed_bytes(msgspec.json.encode(told))))
    return 0


async def _conversation(
    model: "Model", texts: list[str], settings: "Ask", as_json: bool
) -> list[dict[str, Any]]:
    """Every turn with its reply, shown as they come.

    Raises:
        SafemarkError: one gives no reply.
    """
    from safemark.types import Message, Messages

    said: Messages = ()
    turns: list[dict[str, Any]] = []
    try:
        for text in texts:
            said = (*said, Message("user", text))
            began = time.perf_counter()
            try:
                reply = await model.reply(said, settings)
            except CallFailed as failure:
                raise SafemarkError(
                    f"no answer ({failure.reason}): {failure.problem}", failure.hint
                ) from failure
            seconds = round(time.perf_counter() - began, 3)
            said = (*said, Message("assistant", reply.text))
            turns.append({"text": text, "reply": reply, "seconds": seconds})
            if not as_json:
                _show(reply, seconds)
    finally:
        await model.close()
    return turns


def _show(reply: "Reply", seconds: float) -> None:
    from safemark.secrets import scrubbed

    if reply.thinking:
        say(f"thinking: {harmless(scrubbed(reply.thinking))}")
    emit(harmless(scrubbed(reply.text)))
    say(f"({'; '.join(_account(reply, seconds))})")


def _account(reply: "Reply", seconds: float) -> list[str]:
    """How it ended, what it cost, how long it took."""
    parts = [f"{seconds:.2f} s", f"finish: {reply.finish}"]
    if not reply.text:
        parts.insert(0, "the answer is empty")
    usage = reply.usage
    if usage.input_tokens is not None or usage.output_tokens is not None:
        sent, written = usage.input_tokens, usage.output_tokens
        parts.append(
            f"tokens: {'?' if sent is None else sent} in, {'?' if written is None else written} out"
        )
    if usage.cost_usd is not None:
        parts.append(f"${usage.cost_usd:.6f}")
    if reply.model is not None:
        parts.append(f"answered by {harmless(reply.model, lines=False)}")
    if reply.retries:
        parts.append(f"{reply.retries} retries")
    return parts
