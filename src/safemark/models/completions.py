"""Text completions of an OpenAI-compatible server: ``openai/NAME -M api=completions``.

A base model goes on from a raw text. Where the server also says how likely each token of a text
is (``echo`` with ``logprobs``, or vLLM's ``prompt_logprobs``), likelihood benchmarks work over
HTTP. A conversation is rendered by the server's own chat template where it offers that.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from safemark.errors import CallFailed
from safemark.models._faults import Refused, believable, finish, part_of
from safemark.models._scoring import Token, begins_at, likelihood, shared
from safemark.models.http import Endpoint, HttpModel, seed_of, usage_of
from safemark.types import Ask, Likelihood, Messages, Reason, Reply

NO_LIKELIHOODS = (
    "a server with `echo` and `logprobs` gives them: vLLM, or llama-cpp-python with --logits_all"
)


class _Logprobs(msgspec.Struct):
    tokens: list[str] = []
    token_logprobs: list[float | None] = []
    top_logprobs: list[dict[str, float] | None] | None = None


class _OfToken(msgspec.Struct):
    logprob: float
    rank: int | None = None
    decoded_token: str | None = None


class _Choice(msgspec.Struct):
    text: str = ""
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None
    prompt_logprobs: list[dict[str, _OfToken] | None] | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    model: str | None = None
    system_fingerprint: str | None = None
    usage: Any = None


_completion = msgspec.json.Decoder(_Completion)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a server is asked for the likelihoods of a text's tokens, and where they stand then."""

    name: str
    body: Mapping[str, Any]
    tokens: Callable[[_Choice, str], tuple[Token, ...] | None]
    has_written: bool


@dataclass(frozen=True, slots=True)
class _Said:
    """The tokens of a text, and how many of the last ones the model wrote itself."""

    tokens: tuple[Token, ...]
    written: int


class Completions(HttpModel):
    """A model that goes on from raw text, its address given up to and including ``/v1``.

    ``begin`` is what the model's texts begin with where nothing stands before a continuation
    (``<|endoftext|>``); servers that add such a token by themselves need none.
    """

    protocol = "completions"
    settings = MappingProxyType({"stop": "stop", "seed": "seed", "top_p": "top_p"})

    def __init__(self, model: str, endpoint: Endpoint, *, begin: str = "", **more: Any) -> None:
        super().__init__(model, endpoint, **more)
        self._url = self.address("completions")
        self._root = self._base_url.removesuffix("/v1")
        self._begin = begin
        self._ways: tuple[_Way, ...] = _WAYS
        self._has_worked = False

    def _more_identity(self) -> dict[str, str]:
        return {"begin": self._begin} if self._begin else {}

    def _read(self, content: bytes, ask: Ask, refused: frozenset[str]) -> Reply:
        completion = self._decoded(_completion, content, "completion")
        choice = _first(completion)
        ended = finish(choice.finish_reason)
        usage = completion.usage
        return Reply(
            text=choice.text,
            finish=ended,
            usage=usage_of(
                part_of(usage, "prompt_tokens"),
                part_of(usage, "completion_tokens"),
                part_of(usage, "prompt_tokens_details", "cached_tokens"),
            ),
            model=completion.model,
            fingerprint=completion.system_fingerprint,
            finish_reason=None if choice.finish_reason == ended else choice.finish_reason,
            left_out=self._left_out(ask, refused) if refused else (),
        )

    def _body(self, messages: Messages, ask: Ask, refused: frozenset[str]) -> dict[str, Any]:
        settings = {
            "temperature": ask.temperature,
            "max_tokens": ask.max_output_tokens,
            "top_p": ask.top_p,
            "stop": ask.stop or None,
            "seed": seed_of(ask),
        }
        given = {
            name: value
            for name, value in settings.items()
            if value is not None and name not in refused
        }
        return {"model": self._model, "prompt": _as_text(messages, ask), **given, **self._extra}

    async def loglikelihood(
        self, context: str | Messages, continuations: Sequence[str]
    ) -> tuple[Likelihood, ...]:
        """Log-likelihood of each continuation after ``context``.

        The context's trailing white space counts as part of the continuation, as
        lm-evaluation-harness has it.

        Raises:
            CallFailed: ``unsupported`` where the server does not say enough, and whatever else
                can go wrong on the way.
        """
        how: dict[str, Any] = {}
        if not isinstance(context, str):
            # the template's text has the special tokens in it already
            context, how = await self._rendered(context), {"add_special_tokens": False}
        text, moved = split(context or self._begin)
        asked = [
            asyncio.ensure_future(self._likelihood(text, moved + continuation, how))
            for continuation in continuations
        ]
        try:
            return tuple(await asyncio.gather(*asked))
        finally:
            for task in asked:
                task.cancel()

    async def _likelihood(
        self, context: str, continuation: str, how: Mapping[str, Any]
    ) -> Likelihood:
        whole = await self._said(context + continuation, how)
        found = begins_at(whole.tokens, context, continuation)
        if found is None:
            # characters split over tokens: where the context ends is told by its own tokens
            alone = (await self._said(context, how)).tokens if context else ()
            found = shared(alone, whole.tokens), len(whole.tokens) - whole.written
        return likelihood(whole.tokens[slice(*found)])

    async def _said(self, text: str, how: Mapping[str, Any]) -> _Said:
        """What the server says of each token of ``text``, in the first way that it knows.

        Raises:
            CallFailed: it knows none, or the request failed for another reason.
        """
        while True:
            way = self._ways[0]
            try:
                found = await self._said_by(way, text, how)
            except Refused as failure:
                if self._has_worked or not _is_of_the_way(failure):
                    raise
                problem = failure.problem
            else:
                if found is not None:
                    self._has_worked = True
                    return found
                problem = f"no likelihoods come back with {way.name}"
            if way is self._ways[0]:
                self._give_up(problem)

    def _give_up(self, problem: str) -> None:
        """The next way is tried from now on.

        Raises:
            CallFailed: this one is the last, or has worked before.
        """
        if self._has_worked or len(self._ways) == 1:
            raise without_likelihoods(problem)
        self._ways = self._ways[1:]

    async def _said_by(self, way: _Way, text: str, how: Mapping[str, Any]) -> _Said | None:
        body = {
            "model": self._model,
            "prompt": text,
            "temperature": 0.0,
            "max_tokens": 1,  # 0 means no limit to some servers
            **way.body,
            **how,
            **self._extra,
        }
        content = await self._post(self._url, body)
        completion = self._decoded(_completion, content, "completion")
        tokens = way.tokens(_first(completion), text)
        if tokens is None:
            return None
        written = believable(part_of(completion.usage, "completion_tokens"))
        return _Said(tokens, (1 if written is None else written) if way.has_written else 0)

    async def _rendered(self, messages: Messages) -> str:
        """The conversation as the server's chat template has it, the assistant's turn opened.

        vLLM tells it by way of its tokens.

        Raises:
            CallFailed: ``unsupported`` where the server renders none.
        """
        try:
            body = {"model": self._model, "messages": messages, "add_generation_prompt": True}
            tokens = msgspec.json.decode(await self._post(f"{self._root}/tokenize", body))
            body = {"model": self._model, "tokens": part_of(tokens, "tokens")}
            text = msgspec.json.decode(await self._post(f"{self._root}/detokenize", body))
        except Refused as failure:
            if not _is_of_the_way(failure):
                raise
            text = None
        except (msgspec.DecodeError, UnicodeDecodeError):
            text = None
        prompt = part_of(text, "prompt")
        if not isinstance(prompt, str):
            raise CallFailed(
                Reason.UNSUPPORTED,
                "the server does not render a conversation for scoring",
                "ask in a way that scores raw text (`lm-eval`), or the same weights as hf/…",
            )
        return prompt


def split(context: str) -> tuple[str, str]:
    """The context, and the white space at its end, which counts as part of the continuation.

    >>> split("The sky is ")
    ('The sky is', ' ')
    """
    text = context.rstrip()
    return text, context[len(text) :]


def without_likelihoods(problem: str) -> CallFailed:
    """The failure of a server that does not say how likely the tokens of a text are."""
    why = f"the server gives no likelihoods of a text's tokens ({problem})"
    return CallFailed(Reason.UNSUPPORTED, why, NO_LIKELIHOODS)


def _is_of_the_way(failure: Refused) -> bool:
    """Whether an HTTP error means that the server does not know what it is asked for."""
    if failure.reason is Reason.SERVER_ERROR:
        return failure.status == 501 or "echo" in failure.said
    return failure.reason in (Reason.BAD_REQUEST, Reason.UNSUPPORTED)


def _echoed(choice: _Choice, text: str) -> tuple[Token, ...] | None:
    """The tokens of an echoed text; None where the server did not echo it or says nothing."""
    said = choice.logprobs
    if said is None or not choice.text.startswith(text):
        return None
    if not said.tokens or len(said.tokens) != len(said.token_logprobs):
        return None
    tops = said.top_logprobs or [None] * len(said.tokens)
    return tuple(
        Token(token, logprob, _is_greedy(logprob, top))
        for token, logprob, top in zip(said.tokens, said.token_logprobs, tops, strict=False)
    )


def _is_greedy(logprob: float | None, top: Mapping[str, float] | None) -> bool | None:
    if logprob is None or not top:
        return None
    return logprob >= max(top.values())


def _of_prompt(choice: _Choice, _text: str) -> tuple[Token, ...] | None:
    """The tokens of vLLM's account of the prompt: the first entry of each is the token itself."""
    if not choice.prompt_logprobs:
        return None
    tokens = []
    for entry in choice.prompt_logprobs:
        if not entry:
            tokens.append(Token("", None, None))
            continue
        own = next(iter(entry.values()))
        rank = own.rank
        tokens.append(
            Token(own.decoded_token or "", own.logprob, None if rank is None else rank == 1)
        )
    return tuple(tokens)


_WAYS = (
    _Way("echo and logprobs", {"echo": True, "logprobs": 1}, _echoed, has_written=True),
    _Way("prompt_logprobs", {"prompt_logprobs": 0}, _of_prompt, has_written=False),
)


def _first(completion: _Completion) -> _Choice:
    if not completion.choices:
        raise CallFailed(Reason.BAD_RESPONSE, "the reply has no choices")
    return completion.choices[0]


def _as_text(messages: Messages, ask: Ask) -> str:
    """One user turn as raw text, with the system text before it and the begun answer after it.

    Raises:
        CallFailed: ``unsupported`` for a conversation of several turns.
    """
    turns = [turn for turn in messages if turn.role != "system"]
    if len(turns) > 1:
        raise CallFailed(
            Reason.UNSUPPORTED,
            "raw completion knows no turns, and the question has several",
            "ask by -M api=chat",
        )
    before = [ask.system] if ask.system else []
    texts = [*before, *(turn.content for turn in messages)]
    return "\n\n".join(texts) + (ask.prefill or "")
