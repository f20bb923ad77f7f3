from collections.abc import Callable
from typing import Any

import pytest

from safemark.models._model import CAPABILITIES, Model, can
from safemark.models.fake import Fake, says
from safemark.models.retry import Retrying
from safemark.models.wrap import Budgeted, Limits, Price, Priced, careful, gates, layers, limited
from safemark.types import Ask
from tests.small import Counting

ASK = Ask()
QUESTION = says("why?")

WRAPPERS: list[Callable[[Any], Any]] = [
    Retrying,
    Budgeted,
    lambda model: Priced(model, Price(1.0, 2.0)),
    lambda model: Budgeted(Retrying(model), token_budget=10**9, max_time_s=10.0),
    lambda model: careful(model, Limits(concurrency=7, tokens_per_minute=1e9), Price(1.0, 2.0)),
]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("has_it", [True, False])
async def test_a_wrapper_forwards_each_capability_through_itself_or_has_none(
    wrapper: Callable[[Model], Any], capability: str, has_it: bool
) -> None:
    prefer = (lambda _c, text: -float(len(text))) if has_it else None
    inner = Fake("yes", prefer=prefer)
    wrapped = wrapper(inner)
    assert can(wrapped, capability) == can(inner, capability)
    if capability == "reply":
        assert (await wrapped.reply(QUESTION, ASK)).text == "yes"
    elif has_it:
        found = await wrapped.loglikelihood("context", ["a", "bbb"])
        assert [likelihood.logprob for likelihood in found] == [-1.0, -3.0]


@pytest.mark.parametrize("wrapper", WRAPPERS)
async def test_a_wrapper_is_the_model_by_name_identity_appetite_notes_and_end(
    wrapper: Callable[[Any], Any],
) -> None:
    inner = Counting(concurrency=7, name="inner")
    wrapped = wrapper(inner)
    assert (wrapped.name, wrapped.concurrency, wrapped.notes) == ("inner", 7, ())
    assert wrapped.identity == inner.identity
    assert isinstance(wrapped, Model)
    await wrapper(inner).close()
    assert inner.is_closed
    assert wrapper(Fake()).notes == Fake().notes


def test_the_gates_of_a_model_are_found_through_its_wrappers() -> None:
    inner = Fake()
    model = careful(inner, Limits(), Price(1.0, 2.0))
    assert gates(Budgeted(model)) == (model.gate,)
    assert gates(inner) == ()
    assert layers(Budgeted(model))[-1] is inner


def test_two_models_have_a_gate_each() -> None:
    assert careful(Fake(), Limits()).gate is not careful(Fake(), Limits()).gate


def test_adapting_has_places_for_as_many_as_the_ceiling() -> None:
    assert careful(Fake(), Limits()).concurrency == 256
    assert careful(Fake(), Limits(concurrency=3)).concurrency == 3


def test_limits_hold_for_a_model_that_has_a_gate_already_and_for_one_that_has_none() -> None:
    own = Retrying(Counting(concurrency=8), retries=2)
    assert limited(own, Limits()).concurrency == 8
    again = limited(own, Limits(concurrency=3))
    assert isinstance(again, Retrying)
    assert (again.concurrency, again.retries, layers(again)[-1]) == (3, 2, own.model)
    plain = Counting(concurrency=8)
    assert limited(plain, Limits()) is plain
    assert limited(plain, Limits(concurrency=3)) is plain
    assert plain.concurrency == 3
    slow = limited(Counting(concurrency=8), Limits(requests_per_minute=5))
    assert (slow.concurrency, len(gates(slow))) == (8, 1)
