"""How messages become text and text becomes a reply."""

from typing import Any

import pytest

from safemark.errors import CallFailed
from safemark.models.local.prompts import Pair, Prompts, without_thinking
from safemark.types import Message, Reason
from tests.models.local.tiny import TEXT, tiny_tokenizer

ASKED = (Message("system", "Be brief."), Message("user", "Who was late?"))
STRICT = (
    "{% for m in messages %}{% if m.role not in ('user', 'assistant') %}"
    "{{ raise_exception('only user and assistant') }}{% endif %}"
    "[{{ m.role }}] {{ m.content }} {% endfor %}[assistant]"
)
FORGETFUL = (
    "{% for m in messages %}{% if m.role != 'system' %}<|{{ m.role }}|>{{ m.content }}"
    "{% endif %}{% endfor %}<|assistant|>"
)


def prompts(chat_template: bool | str = True, **options: Any) -> Prompts:
    return Prompts(tiny_tokenizer(chat_template, **options))


def test_the_chat_template_opens_the_assistants_turn() -> None:
    made = prompts().prompt(ASKED[1:], "Be brief.", None)

    assert (
        made.text == "<|system|>\nBe brief.<|end|>\n<|user|>\nWho was late?<|end|>\n<|assistant|>\n"
    )
    assert made.stop == ()


def test_a_long_conversation_is_no_matter_for_the_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.model_max_length = 4

    made = Prompts(tokenizer).prompt(ASKED, None, None)

    assert len(made.tokens) > 4
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("add_bos", [True, False])
def test_ids_alone_are_those_of_the_librarys_call(
    add_bos: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = prompts(add_bos=add_bos)
    made.tokenizer.backend_tokenizer.enable_truncation(3)  # the call takes that back
    asked = [(text, [" yes", f"{text} no"]) for text in (*TEXT, "", "<s> begun", "a\u00a0\u2028b")]

    alone = made.pairs(asked)
    assert made._gives_ids_alone()
    monkeypatch.setattr(made, "_gives_ids_alone", lambda: False)

    assert alone == made.pairs(asked)


def test_a_tokenizer_with_code_of_its_own_is_called() -> None:
    class Own(type(tiny_tokenizer())):  # type: ignore[misc]
        def __call__(self, *given: Any, **named: Any) -> Any:
            return super().__call__(*given, **named)

    made = prompts()
    made.tokenizer.__class__ = Own

    assert not made._gives_ids_alone()


def test_a_rendered_template_gets_no_second_bos() -> None:
    made = prompts(add_bos=True).prompt(ASKED, None, None)

    assert 0 not in made.tokens


def test_without_a_template_messages_are_plain_text_and_that_is_noted() -> None:
    plain = prompts(chat_template=False)

    made = plain.prompt(ASKED, None, "Robert")

    assert made.text == "Be brief.\nUser: Who was late?\nAssistant: Robert"
    assert made.stop == ("\nUser:",)
    assert "no chat template" in plain.notes[0]


@pytest.mark.parametrize("template", [STRICT, FORGETFUL], ids=["refuses", "drops"])
def test_system_text_joins_the_first_user_turn_where_the_template_has_no_system_turn(
    template: str,
) -> None:
    folding = prompts(template)

    text = folding.rendered(ASKED)

    assert "Be brief.\n\nWho was late?" in text
    assert "no system turn" in folding.notes[0]


def test_a_conversation_that_the_template_refuses_says_so() -> None:
    with pytest.raises(CallFailed, match="only user and assistant") as caught:
        prompts(STRICT).rendered((Message("tool", "42"),))

    assert caught.value.reason is Reason.UNSUPPORTED


def test_a_leading_space_is_the_templates_where_the_prompt_ends_without_whitespace() -> None:
    inst = prompts("{% for m in messages %}[INST] {{ m.content }} [/INST]{% endfor %}")
    made = inst.prompt(ASKED[1:], None, None)
    tokens = inst.tokenizer.encode(" Robert  was late")

    assert inst.reply_text(made, tokens, has_prefill=False) == "Robert  was late"
    assert inst.reply_text(made, tokens, has_prefill=True) == " Robert  was late"


def test_a_leading_space_is_the_models_where_the_prompt_ends_with_a_line_break() -> None:
    chat = prompts()
    made = chat.prompt(ASKED, None, None)

    text = chat.reply_text(made, chat.tokenizer.encode(" Robert"), has_prefill=False)

    assert text == " Robert"


def test_special_tokens_are_not_part_of_a_reply() -> None:
    chat = prompts()
    made = chat.prompt(ASKED, None, None)

    tokens = chat.tokenizer.encode("Robert<|end|>")

    assert chat.reply_text(made, tokens, has_prefill=False) == "Robert"


def test_an_empty_context_is_bos_and_a_text_that_begins_with_bos_keeps_its_own() -> None:
    tokenizer = tiny_tokenizer()

    ((first, second),) = Prompts(tokenizer).pairs([("", ["yes", "<s>yes"])])  # type: ignore[misc]

    assert first == second == Pair((0,), tuple(tokenizer.encode("yes")))


def test_an_empty_context_without_bos_or_eos_fails_alone() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.bos_token = tokenizer.eos_token = None

    empty, other = Prompts(tokenizer).pairs([("", ["yes"]), ("so", [" yes"])])

    assert isinstance(empty, CallFailed)
    assert isinstance(other, list)


def test_trailing_whitespace_goes_to_the_continuation() -> None:
    tokenizer = tiny_tokenizer()

    ((pair,),) = Prompts(tokenizer).pairs([("Answer:  ", ["yes"])])  # type: ignore[misc]

    assert pair.context == tuple(tokenizer.encode("Answer:"))
    assert tokenizer.decode(pair.continuation) == "  yes"


@pytest.mark.parametrize(
    ("text", "opened", "answer", "thinking"),
    [
        ("Paris", False, "Paris", None),
        ("<think>hm</think>\n\nParis", False, "Paris", "hm"),
        ("hm</think>\nParis", True, "Paris", "hm"),
        ("<think>never ends", False, "", "never ends"),
    ],
)
def test_thinking_is_kept_apart(text: str, opened: bool, answer: str, thinking: str | None) -> None:
    assert without_thinking(text, opened) == (answer, thinking)


HALF = "half a surrogate pair: \ud83d"


@pytest.mark.parametrize(
    "asked", [(HALF, ["yes"]), ("so", [HALF]), ((Message("user", HALF),), ["yes"])]
)
def test_half_a_surrogate_pair_fails_alone(asked: tuple[Any, list[str]]) -> None:
    made = prompts()

    bad, good = made.pairs([asked, ("so", [" yes"])])

    assert isinstance(bad, CallFailed)
    assert bad.reason is Reason.BAD_REQUEST
    assert isinstance(good, list)
    with pytest.raises(CallFailed, match="surrogate"):
        made.prompt((Message("user", HALF),), None, None)


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "recursion"),
        ("{{ 'a' * 10 ** 15 }}", "MemoryError"),
        ("{{ raise_exception('no' ~ '\\n' ~ 'way') }}", "no$"),
        ("{{ raise_exception('no' * 1000) }}", ": (no){100}$"),
    ],
)
def test_whatever_a_template_does_is_one_sentence_and_no_crash(template: str, why: str) -> None:
    made = prompts(template)

    assert not made.takes_system
    with pytest.raises(CallFailed, match=why) as caught:
        made.prompt(ASKED, None, None)
    assert caught.value.reason is Reason.UNSUPPORTED


def test_a_template_that_takes_no_conversation_at_all_is_told() -> None:
    assert prompts("{{ raise_exception('never') }}").notes == (
        "the chat template refuses a user's turn, or leaves out what it says",
    )
