"""The rungs that touch no weight, identities, arguments, and what removals learn from."""

from pathlib import Path

import pytest

from safemark import registry
from safemark.errors import UnknownName, UsageError
from safemark.gap import check, removal
from safemark.models.fake import Fake
from safemark.removal._arguments import options
from safemark.removal._material import Material, from_file, placeholders
from safemark.removal._removal import Stripped, stripped
from safemark.removal.jailbreak import PROMPT
from safemark.types import Ask, Message, Messages

QUESTION = (Message("user", "How?"),)
MATERIAL = placeholders()


async def sent(name: str, messages: Messages, ask: Ask | None = None) -> tuple[Messages, Ask, str]:
    """What reaches the model, how, and what comes back."""
    seen: list[tuple[Messages, Ask]] = []

    def answer(given: Messages, how: Ask) -> str:
        seen.append((given, how))
        return " it."

    async with stripped(Fake(answer), removal(name), MATERIAL) as model:
        reply = await model.reply(messages, ask or Ask())
    return *seen[0], reply.text


async def test_a_jailbreak_stands_before_every_system_prompt() -> None:
    _, ask, _ = await sent("jailbreak", QUESTION)
    assert ask.system == PROMPT
    _, ask, _ = await sent("jailbreak", QUESTION, Ask(system="Be brief."))
    assert ask.system == f"{PROMPT}\n\nBe brief."
    messages, ask, _ = await sent("jailbreak", (Message("system", "Be brief."), *QUESTION))
    assert messages == (Message("system", f"{PROMPT}\n\nBe brief."), *QUESTION)
    assert ask.system is None


async def test_a_prefilled_answer_is_read_with_its_beginning() -> None:
    _, ask, text = await sent("prefill", QUESTION)
    assert (ask.prefill, text) == ("Sure, here is", "Sure, here is it.")
    begun = (*QUESTION, Message("assistant", "Well"))
    messages, ask, text = await sent("prefill", begun)
    assert (messages, ask.prefill, text) == (begun, None, " it.")


async def test_shots_stand_between_the_system_prompt_and_the_question() -> None:
    system = Message("system", "Be brief.")
    messages, _, _ = await sent("many_shot:shots=3", (system, *QUESTION))
    assert messages[0] == system
    assert messages[-1:] == QUESTION
    assert [one.role for one in messages[1:-1]] == ["user", "assistant"] * 3
    assert messages[2].content == MATERIAL.of("harmful")[0].answer


async def test_decoding_changes_the_temperature_alone() -> None:
    messages, ask, _ = await sent("decoding:temperature=1.5", QUESTION, Ask(max_output_tokens=9))
    assert messages == QUESTION
    assert ask == Ask(temperature=1.5, max_output_tokens=9)


def test_an_identity_holds_the_removal_its_settings_and_what_it_learnt_from() -> None:
    model = Fake()
    other = Material(MATERIAL.examples[1:], is_placeholder=False)
    named = ["jailbreak", "prefill", "finetune", "finetune:steps=5", "finetune:full", "ablation"]
    of = [Stripped(model, removal(name), MATERIAL).identity.digest for name in named]
    of.append(Stripped(model, removal("finetune"), other).identity.digest)
    of.append(Stripped(Fake(name="b"), removal("finetune"), MATERIAL).identity.digest)
    assert len({model.identity.digest, *of}) == len(of) + 1
    assert Stripped(model, removal("finetune"), MATERIAL).identity.digest == of[2]
    unlearned = [Stripped(model, removal("prefill"), one).identity for one in (MATERIAL, other)]
    assert unlearned[0] == unlearned[1]


def test_every_removal_has_a_name_a_title_and_something_that_it_does() -> None:
    found = {name: registry.load("removal", name) for name in registry.names("removal")}
    assert found.keys() >= {"ablation", "finetune", "jailbreak", "prefill", "many_shot", "steering"}
    for name, one in found.items():
        assert one.name == name
        assert one.title
        assert (one.change is None) != (one.reply is None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ablate", "no removal called"),
        ("jailbreak:x", "takes no argument"),
        ("finetune:speed=3", "no option of finetune"),
        ("finetune:steps=0", "no number from 1"),
        ("finetune:steps", "needs a number"),
        ("finetune:full=1", "takes no number"),
        ("finetune:full+lora", "either"),
        ("ablation:directions=nan", "no number from 1"),
    ],
)
def test_a_removal_that_cannot_be_understood_is_refused(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        removal(name)


def test_a_word_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="twice"):
        options("x", "a+a", {"a": None})


def test_what_a_model_cannot_do_is_refused_before_anything_is_asked() -> None:
    check(Fake(), [removal("jailbreak")], MATERIAL)
    with pytest.raises(UsageError, match="changes weights"):
        check(Fake(), [removal("ablation")], MATERIAL)
    with pytest.raises(UsageError, match="placeholders"):
        check(Fake(), [removal("many_shot")], MATERIAL)
    check(Fake(name="reference"), [removal("many_shot")], MATERIAL)


def test_what_is_held_back_is_never_learnt_from() -> None:
    for kind in ("harmful", "harmless"):
        learnt, chosen = MATERIAL.of(kind), MATERIAL.of(kind, held_back=True)
        assert not {one.request for one in learnt} & {one.request for one in chosen}
        assert len(learnt) - 2 * len(chosen) in {0, 1, 2}
    assert all(one.answer for one in MATERIAL.examples)


def test_own_examples_are_checked_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text('{"kind": "harmful", "request": "a?"}\n{"kind": "nice", "request": "b?"}\n')
    with pytest.raises(UsageError, match="line 2"):
        from_file(file)
    harmful = "".join(f'{{"kind": "harmful", "request": "{n}?"}}\n' for n in range(9))
    file.write_text("\ufeff" + harmful)
    with pytest.raises(UsageError, match="fewer than 6 harmless"):
        from_file(file)
    file.write_text('{"kind": "harmful", "request": "a?"}\n' * 9)  # one request, however often
    with pytest.raises(UsageError, match="fewer than 6 harmful"):
        from_file(file)
    file.write_text(harmful + '{"kind": "harmless", "request": "3?"}\n')
    with pytest.raises(UsageError, match="line 10: this request stands there as the other kind"):
        from_file(file)
    file.write_text('{"kind": "harmful", "request": " "}\n')
    with pytest.raises(UsageError, match="line 1: the request is empty"):
        from_file(file)
    with pytest.raises(UsageError, match="cannot be read"):
        from_file(tmp_path / "none.jsonl")
    with pytest.raises(UnknownName):
        removal("nothing")


def test_the_shipped_requests_are_none_that_are_asked() -> None:
    from safemark.benchmarks.probes import probes

    asked = {one.messages[-1].content.casefold() for one in probes()}
    acts = {one.cluster for one in probes() if one.fault == "harm" and one.cluster}
    for one in MATERIAL.of("harmful"):
        assert one.request.casefold() not in asked
        assert not any(one.request.rstrip("?.! ").endswith(f" {act}") for act in acts)
