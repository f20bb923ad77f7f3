"""Likelihoods over HTTP beside those of the same weights in this process.

The server here reads a real model's logits and words its answer as OpenAI, vLLM or llama.cpp do; how
a text is split, where the context ends and what is summed is Safemark's own affair on both sides.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from safemark.models.connect import connect
from safemark.types import Likelihood
from tests.models.speaking import text_completion
from tests.serving import Answer, Server, fails, sends

pytest.importorskip("torch")

QUESTIONS = [
    ("The sky is", [" blue", " green and", " so very far"]),
    ("Question: who?\nAnswer:", [" the man", " the woman"]),
    ("It ends in a space ", ["and goes on"]),
    ("A naïve café — “quoted”", [" is", " was not"]),
]

NO_CONTEXT = ("", ["The man is tall.", "The woman is tall."])


def asked_of(has_bos: bool) -> list[tuple[str, list[str]]]:
    """Nothing at all before a text can be scored where the model begins texts with a token."""
    return [*QUESTIONS, NO_CONTEXT] if has_bos else QUESTIONS


class Weights:
    """What a model thinks of each token of a text, read plainly with one forward pass."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder)

    def ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text)["input_ids"])

    def logprobs(self, ids: list[int]) -> Any:
        import torch

        with torch.no_grad():
            logits = self.model(torch.tensor([ids])).logits[0]
        return torch.log_softmax(logits.float(), -1)

    def text(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode(ids, clean_up_tokenization_spaces=False))


def like_openai(weights: Weights, text: str) -> dict[str, Any]:
    ids = weights.ids(text)
    table = weights.logprobs(ids)
    written = int(table[-1].argmax())
    tokens = [weights.text([one]) for one in (*ids, written)]
    values: list[float | None] = [None]
    tops: list[dict[str, float] | None] = [None]
    for place, one in enumerate((*ids[1:], written)):
        best = int(table[place].argmax())
        values.append(float(table[place][one]))
        tops.append({f"{best}": float(table[place][best])})
    said = {"tokens": tokens, "token_logprobs": values, "top_logprobs": tops}
    body = text_completion(text + tokens[-1], finish_reason="length", logprobs=said)
    body["usage"]["completion_tokens"] = 1
    return body


def like_vllm(weights: Weights, text: str) -> dict[str, Any]:
    ids = weights.ids(text)
    table = weights.logprobs(ids)
    entries: list[Any] = [None]
    for place, one in enumerate(ids[1:]):
        row = table[place]
        rank = int((row > row[one]).sum()) + 1
        entries.append(
            {
                str(one): {
                    "logprob": float(row[one]),
                    "rank": rank,
                    "decoded_token": weights.text([one]),
                }
            }
        )
    return text_completion(" x", prompt_logprobs=entries)


def like_llama_cpp(weights: Weights, path: str, body: dict[str, Any]) -> dict[str, Any]:
    if path == "/tokenize":
        return {"tokens": weights.ids(body["content"])}
    row = weights.logprobs(body["prompt"])[-1]
    values, order = row.sort(descending=True)
    count = min(body["n_probs"], len(order))
    top = [{"id": int(order[i]), "logprob": float(values[i])} for i in range(count)]
    return {"completion_probabilities": [{"top_logprobs": top}]}


def answers(weights: Weights, kind: str) -> Answer:
    async def reply(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if kind == "llamacpp":
            found = like_llama_cpp(weights, request.path, body)
        elif kind == "vllm":
            if "echo" in body:
                return await fails(400, "echo is not supported")(request)
            found = like_vllm(weights, body["prompt"])
        else:
            found = like_openai(weights, body["prompt"])
        return await sends(json.dumps(found).encode())(request)

    return reply


@pytest.fixture(scope="module", params=[False, True], ids=["no <s>", "<s>"])
def has_bos(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, has_bos: bool) -> Path:
    from tests.models.local.tiny import make_tiny_model

    return make_tiny_model(tmp_path_factory.mktemp("served") / "tiny", add_bos=has_bos)


@pytest.fixture(scope="module")
def here(folder: Path, has_bos: bool) -> list[tuple[Likelihood, ...]]:
    async def asked() -> list[tuple[Likelihood, ...]]:
        model = connect(f"hf/{folder}", options={"device": "cpu", "dtype": "float32"})
        found = [await model.loglikelihood(*question) for question in asked_of(has_bos)]  # type: ignore[attr-defined]
        await model.close()
        return found

    return asyncio.run(asked())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["openai", "vllm", "llamacpp"])
async def test_likelihoods_over_http_are_those_of_the_same_weights_here(
    folder: Path, has_bos: bool, here: list[tuple[Likelihood, ...]], kind: str
) -> None:
    weights = Weights(folder)
    with Server(lambda *_: answers(weights, kind)) as server:
        model = connect(f"{kind}/m", base_url=server.url, options={"api": "completions"})
        for question, expected in zip(asked_of(has_bos), here, strict=True):
            found = await model.loglikelihood(*question)  # type: ignore[attr-defined]
            assert [one.tokens for one in found] == [one.tokens for one in expected], question
            assert [one.is_greedy for one in found] == [one.is_greedy for one in expected]
            assert [one.logprob for one in found] == pytest.approx(
                [one.logprob for one in expected], abs=2e-4
            ), question
        await model.close()
