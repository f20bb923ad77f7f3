"""llama.cpp's own server, for GGUF files: ``llamacpp/NAME -M api=completions``.

It echoes no prompt, so likelihoods are read token by token: what it thinks of the next token after
each beginning of the text, which its prompt cache makes cheap.
"""

import math
from collections.abc import Sequence

import msgspec

from safemark.errors import CallFailed
from safemark.models._faults import Refused, part_of
from safemark.models._scoring import no_first_token
from safemark.models.completions import Completions, split, without_likelihoods
from safemark.types import Likelihood, Messages, Reason

FEW = 64
"""So many of the likeliest tokens are asked for at first: most of the time the token is there."""

ALL = 10_000_000
"""More than any vocabulary; the server gives what it has."""


class _OfToken(msgspec.Struct):
    id: int
    logprob: float


class _Next(msgspec.Struct):
    top_logprobs: list[_OfToken] = []


class _Completion(msgspec.Struct):
    completion_probabilities: list[_Next] = []


class _Tokens(msgspec.Struct):
    tokens: list[int]


_completion = msgspec.json.Decoder(_Completion)
_tokens = msgspec.json.Decoder(_Tokens)


class LlamaServer(Completions):
    """A model behind llama.cpp's server, its address given up to and including ``/v1``."""

    async def loglikelihood(
        self, context: str | Messages, continuations: Sequence[str]
    ) -> tuple[Likelihood, ...]:
        """Log-likelihood of each continuation after ``context``, as `Completions` has it.

        A token that holds the end of the context as well belongs to the continuation.

        Raises:
            CallFailed: as `Completions`.
        """
        if not isinstance(context, str):
            context = await self._rendered(context)
        text, moved = split(context or self._begin)
        before = await self._ids(text)
        found = []
        for continuation in continuations:
            whole = await self._ids(text + moved + continuation)
            found.append(await self._likelihood_of(whole, _shared(before, whole)))
        return tuple(found)

    async def _likelihood_of(self, ids: Sequence[int], first: int) -> Likelihood:
        """Of the tokens from ``first`` on."""
        if first == 0:
            raise no_first_token()
        if first == len(ids):
            raise CallFailed(Reason.BAD_REQUEST, "a continuation has no tokens of its own")
        total, is_greedy = 0.0, True
        for index in range(first, len(ids)):
            logprob, is_likeliest = await self._next(ids[:index], ids[index])
            total += logprob
            is_greedy = is_greedy and is_likeliest
        if not math.isfinite(total):
            raise CallFailed(Reason.NOT_A_NUMBER, "the log-likelihood is not a finite number")
        return Likelihood(total, len(ids) - first, is_greedy)

    async def _next(self, before: Sequence[int], token: int) -> tuple[float, bool]:
        """The log-likelihood of ``token`` after the others, and whether it is the likeliest."""
        for count in (FEW, ALL):
            body = {
                "prompt": before,
                "n_predict": 1,
                "n_probs": count,
                "temperature": -1,  # the likeliest token, and probabilities of the logits alone
                "cache_prompt": True,
                **self._extra,
            }
            content = await self._post(f"{self._root}/completion", body)
            told = self._decoded(_completion, content, "completion").completion_probabilities
            top = told[0].top_logprobs if told else []
            for place, one in enumerate(top):
                if one.id == token:
                    return one.logprob, place == 0
            if not top:
                break
        raise without_likelihoods(f"it tells {len(top)} likeliest tokens at most")

    async def _ids(self, text: str) -> list[int]:
        """The tokens of a text, those included that the model's texts begin with."""
        try:
            content = await self._post(
                f"{self._root}/tokenize", {"content": text, "add_special": True}
            )
        except Refused as failure:
            if failure.reason is not Reason.BAD_REQUEST:
                raise
            raise without_likelihoods(failure.problem) from failure
        return self._decoded(_tokens, content, "list of tokens").tokens

    async def _rendered(self, messages: Messages) -> str:
        body = {"messages": messages, "add_generation_prompt": True}
        content = await self._post(f"{self._root}/apply-template", body)
        try:
            prompt = part_of(msgspec.json.decode(content), "prompt")
        except (msgspec.DecodeError, UnicodeDecodeError):
            prompt = None
        if not isinstance(prompt, str):
            raise self._other_than("rendered conversation", "no prompt", content)
        return prompt


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (left, right) in pairs if left != right), min(len(one), len(other)))
