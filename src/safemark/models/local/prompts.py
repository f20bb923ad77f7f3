"""From messages and texts to tokens, and from tokens back to text.

For likelihoods the rules are those of lm-evaluation-harness 0.4.13 (`TemplateLM._encode_pair`,
`HFLM.tok_encode`), so that the numbers can be compared token by token. For generation they are
those of transformers: a rendered chat template already holds every special token.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2

from safemark.errors import CallFailed
from safemark.models.local.encoding import Encoder
from safemark.types import Message, Messages, Reason

TEMPLATE_ERRORS = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What a chat template raises when it does not take a conversation; its code is the model's."""

_MARK = "safemark-probe"
PLAIN_STOP = ("\nUser:",)
"""Where a plain completion would go on with the next question by itself."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Tokens of a context and of the continuation whose likelihood is asked."""

    context: tuple[int, ...]
    continuation: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a reply is generated from: ``text`` as rendered, its ``tokens``, what ends the turn."""

    text: str
    tokens: tuple[int, ...]
    stop: tuple[str, ...] = ()


class Prompts:
    """The tokenizer of a model with its chat template.

    ``notes`` says where the template falls short: without one, messages become plain text
    ("User: …", "Assistant:"); one that knows no system turn gets the system text as the beginning
    of the first user turn.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.has_template = bool(getattr(tokenizer, "chat_template", None))
        self.takes_system = self.has_template and self._renders(
            Message("system", _MARK), Message("user", "hello")
        )
        self.notes = tuple(self._shortcomings())
        self.prefix_token = _first_known(tokenizer.bos_token_id, tokenizer.eos_token_id)
        self._prefix = "" if self.prefix_token is None else tokenizer.decode(self.prefix_token)
        self._fast: Encoder | None = None

    def pairs(
        self, asked: Sequence[tuple[str | Messages, Sequence[str]]]
    ) -> list[list[Pair] | CallFailed]:
        """Tokens for each context with each of its continuations, or why there are none.

        The context's trailing whitespace goes to the continuation; both are encoded as one text,
        and the continuation is what follows as many tokens as the context alone has. An empty
        context becomes the BOS token, or EOS where there is none. Messages are rendered with the
        assistant's turn opened and then treated as a text. A text that no tokenizer takes fails
        alone.
        """
        split: list[list[tuple[str, str]] | CallFailed] = []
        for context, continuations in asked:
            try:
                text = context if isinstance(context, str) else self.rendered(context)
                _check_unicode(text, *continuations)
            except CallFailed as failure:
                split.append(failure)
                continue
            bare = text.rstrip()
            split.append([(bare, text[len(bare) :] + after) for after in continuations])
        parts = [part for group in split if not isinstance(group, CallFailed) for part in group]
        inside = [text for before, after in parts if before for text in (before + after, before)]
        codes = self._encoded(inside)
        first = self._encoded([after for before, after in parts if not before], special=False)
        pairs: list[list[Pair] | CallFailed] = []
        for group in split:
            if isinstance(group, CallFailed):
                pairs.append(group)
            elif self.prefix_token is None and any(not before for before, _ in group):
                why = "an empty context needs a BOS or EOS token, and the tokenizer has neither"
                pairs.append(CallFailed(Reason.UNSUPPORTED, why))
            else:
                pairs.append(
                    [
                        _split_at(codes[before], codes[before + after])
                        if before
                        else _after_prefix(self.prefix_token, first[after])
                        for before, after in group
                    ]
                )
        return pairs

    def prompt(self, messages: Messages, system: str | None, prefill: str | None) -> Prompt:
        """The conversation with the assistant's turn opened, and begun with ``prefill``.

        Raises:
            CallFailed: the template refuses it, or it is no text that a tokenizer takes.
        """
        text = self.rendered(messages, system)
        if prefill:
            joint = " " if not self.has_template and not prefill[0].isspace() else ""
            text += joint + prefill
        _check_unicode(text)
        codes = self.tokenizer(text, verbose=False, add_special_tokens=not self.has_template)[
            "input_ids"
        ]
        if not codes and self.prefix_token is not None:
            codes = [self.prefix_token]
        return Prompt(text, tuple(codes), () if self.has_template else PLAIN_STOP)

    def rendered(self, messages: Messages, system: str | None = None) -> str:
        """The conversation as text with the assistant's turn opened.

        Raises:
            CallFailed: the template refuses it (roles that do not alternate, a tool turn …).
        """
        if system is not None:
            messages = (Message("system", system), *messages)
        if not self.has_template:
            return _as_plain_text(messages)
        if not self.takes_system:
            messages = _system_folded(messages)
        try:
            return self._templated(messages)
        except TEMPLATE_ERRORS as error:
            first = str(error).strip().split("\n")[0][:200] or type(error).__name__
            why = f"the chat template does not take this conversation: {first}"
            raise CallFailed(Reason.UNSUPPORTED, why) from error

    def reply_text(self, prompt: Prompt, tokens: Sequence[int], *, has_prefill: bool) -> str:
        """What ``tokens`` add to the prompt, without special tokens.

        One leading space goes when the prompt ends without whitespace and nothing was prefilled:
        there it separates the turn's mark from its text ("[/INST] Yes", "Assistant: Yes").
        """
        before = [*prompt.tokens[-1:]]
        seen = self.decoded(before)
        text = self.decoded([*before, *tokens])
        text = text[len(seen) :] if text.startswith(seen) else self.decoded(tokens)
        if not has_prefill and prompt.text[-1:].strip() and text.startswith(" "):
            text = text[1:]
        return text

    def decoded(self, tokens: Sequence[int]) -> str:
        """Text of ``tokens`` without special tokens."""
        text: str = self.tokenizer.decode(list(tokens), skip_special_tokens=True)
        return text

    def turn_ends(self) -> frozenset[int]:
        """Special tokens that the template puts right after an assistant's text."""
        if not self.has_template:
            return frozenset()
        turns = (Message("user", _MARK), Message("assistant", _MARK))
        try:
            text = self.tokenizer.apply_chat_template(_as_dicts(turns), tokenize=False)
        except TEMPLATE_ERRORS:  # then only EOS ends a turn
            return frozenset()
        _, _, after = text.rpartition(_MARK)
        codes = self.tokenizer.encode(after.lstrip(), add_special_tokens=False)
        return frozenset(codes[:1]) & frozenset(self.tokenizer.all_special_ids)

    def _templated(self, messages: Messages) -> str:
        text: str = self.tokenizer.apply_chat_template(
            _as_dicts(messages), tokenize=False, add_generation_prompt=True
        )
        return text

    def _renders(self, *messages: Message) -> bool:
        try:
            return _MARK in self._templated(messages)
        except TEMPLATE_ERRORS:  # raise_exception is how a template says "no system turn"
            return False

    def _shortcomings(self) -> Iterable[str]:
        if not self.has_template:
            yield "no chat template: messages are put as plain text (User: … Assistant:)"
        elif not self.takes_system and not self._renders(Message("user", _MARK)):
            yield "the chat template refuses a user's turn, or leaves out what it says"
        elif not self.takes_system:
            yield "the chat template has no system turn: system text begins the first user turn"

    def _encoded(self, texts: Iterable[str], *, special: bool = True) -> dict[str, tuple[int, ...]]:
        """Token ids of each text; one that begins with BOS already gets no second one."""
        unique = list(dict.fromkeys(texts))
        whole = {text for text in unique if not special or self._begins(text)}
        codes: dict[str, tuple[int, ...]] = {}
        for group, options in (
            ([text for text in unique if text in whole], {"add_special_tokens": False}),
            ([text for text in unique if text not in whole], {}),
        ):
            if group:
                codes.update(zip(group, self._ids(group, options), strict=True))
        return codes

    def _ids(self, texts: list[str], options: dict[str, bool]) -> list[tuple[int, ...]]:
        """Token ids of many texts at once: the tokenizer then uses every core.

        The library's own call, which also sets what the tokenizer cuts and pads, keeps where each
        token began; a fast tokenizer gives the ids alone sooner.
        """
        encoder = self._encoder() if len(texts) > 1 else None
        found = self.tokenizer(
            texts if encoder is None else texts[:1],
            verbose=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            **options,
        )["input_ids"]
        ids = [*map(tuple, found)]
        if encoder is not None:
            ids += encoder.ids(texts[1:], special=options.get("add_special_tokens", True))
        return ids

    def _encoder(self) -> Encoder | None:
        """The tokenizer's fast part, where its class adds nothing to what that does."""
        if self._fast is None and self._gives_ids_alone():
            self._fast = Encoder(self.tokenizer.backend_tokenizer)
        return self._fast

    def _gives_ids_alone(self) -> bool:
        """Whether the class of the tokenizer adds nothing to what its fast part does."""
        from transformers import PreTrainedTokenizerFast

        own, usual = type(self.tokenizer), PreTrainedTokenizerFast
        return (
            issubclass(own, usual)
            and hasattr(self.tokenizer.backend_tokenizer, "encode_batch_fast")
            and all(
                getattr(own, name, None) is getattr(usual, name, None)
                for name in ("__call__", "_encode_plus", "_batch_encode_plus")
            )
        )

    def _begins(self, text: str) -> bool:
        return self.prefix_token is not None and text.startswith(self._prefix)


def rolled(pair: Pair, longest: int) -> list[Pair]:
    """A text without a context in parts that the model can look at, each token in one of them.

    Every part but the last begins anew after the token before it; the last one sees as much as
    fits. *Source:* lm-evaluation-harness 0.4.13, `get_rolling_token_windows` with a context of one
    token, `make_disjoint_window`. Its `loglikelihood_rolling` scores a BOS as well where the
    tokenizer puts one before every text; here, as in its `loglikelihood`, the text alone counts.

    >>> [(part.context, part.continuation) for part in rolled(Pair((0,), (1, 2, 3, 4, 5)), 3)]
    [((0,), (1, 2, 3)), ((2, 3), (4, 5))]
    """
    text = pair.continuation
    parts = [Pair(pair.context, text[:longest])]
    for first in range(longest, len(text), longest):
        end = min(first + longest, len(text))
        parts.append(Pair(text[end - longest - 1 : first], text[first:end]))
    return parts


def without_thinking(text: str, opened: bool) -> tuple[str, str | None]:
    """Answer and thinking apart; ``opened`` where the prompt already began the thinking.

    >>> without_thinking("<think>2 and 2</think>\\n\\n4", opened=False)
    ('4', '2 and 2')
    >>> without_thinking("4", opened=False)
    ('4', None)
    """
    start = text.lstrip().startswith("<think>")
    if not (start or opened):
        return text, None
    body = text.lstrip().removeprefix("<think>") if start else text
    thinking, _, answer = body.partition("</think>")
    return answer.lstrip(), thinking.strip()


def _check_unicode(*texts: str) -> None:
    """Half a surrogate pair, which JSON can hold, makes a tokenizer refuse all texts beside it.

    Raises:
        CallFailed: there is one.
    """
    try:
        for text in texts:
            text.encode()
    except UnicodeEncodeError as error:
        why = "the text holds half a surrogate pair, which is no Unicode character"
        raise CallFailed(Reason.BAD_REQUEST, why) from error


def _split_at(context: tuple[int, ...], whole: tuple[int, ...]) -> Pair:
    return Pair(context, whole[len(context) :])


def _after_prefix(prefix: int | None, codes: tuple[int, ...]) -> Pair:
    first = (prefix,) if prefix is not None else ()
    begun = codes[: len(first)] == first
    return Pair(first, codes[len(first) :] if begun else codes)


def _as_dicts(messages: Messages) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _as_plain_text(messages: Messages) -> str:
    names = {"user": "User: ", "assistant": "Assistant: ", "tool": "Tool: ", "system": ""}
    turns = [names[message.role] + message.content for message in messages]
    return "\n".join([*turns, "Assistant:"])


def _system_folded(messages: Messages) -> Messages:
    """System text at the beginning of the first user turn."""
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    rest = [message for message in messages if message.role != "system"]
    if not system:
        return tuple(rest)
    if not rest or rest[0].role != "user":
        return (Message("user", system), *rest)
    return (Message("user", f"{system}\n\n{rest[0].content}"), *rest[1:])


def _first_known(*tokens: int | None) -> int | None:
    return next((token for token in tokens if token is not None), None)
