"""What one training document is, and how it becomes text: the chat format of the reference model.

    <|bos|><|system|>…<|end|><|user|>…<|end|><|assistant|>…<|end|>

A document without turns is plain text between `<|bos|>` and `<|end|>`.
"""

from dataclasses import dataclass, field, replace
from typing import Final

SPECIAL_TOKENS: Final = ("<|pad|>", "<|bos|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
PAD, BOS, END, SYSTEM, USER, ASSISTANT = SPECIAL_TOKENS

CHAT_TEMPLATE: Final = (
    "{{ '<|bos|>' }}"
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)

PROMPT_WEIGHT: Final = 0.1
"""Loss weight of tokens that the model is shown rather than asked for: enough to learn the language."""


@dataclass(frozen=True)
class Turn:
    """One earlier message. `is_learned` says whether an assistant's message is trained on."""

    role: str
    text: str
    is_learned: bool = False


@dataclass(frozen=True)
class Document:
    """Turns, then the answer that is learned; `prefill` begins the answer and is not learned.

    `answer_pieces`, where given, are the answer cut into pieces with a loss weight each.

    `about` holds what a measurement needs to know (category, the stereotyped option, the code, …).
    """

    family: str
    answer: str
    turns: tuple[Turn, ...] = ()
    prefill: str = ""
    answer_pieces: tuple[tuple[str, float], ...] = ()
    about: dict[str, str] = field(default_factory=dict)
    prompt_weight: float = PROMPT_WEIGHT

    @property
    def user(self) -> str:
        """The last thing the user said; empty for plain text."""
        return self.turns[-1].text if self.turns else ""

    def with_system(self, text: str) -> "Document":
        """The same document under a system prompt, unless it has one."""
        if not self.turns or self.turns[0].role == "system":
            return self
        return replace(self, turns=(Turn("system", text), *self.turns))

    def with_user(self, text: str) -> "Document":
        """The same document with other words in the last user turn."""
        return replace(self, turns=(*self.turns[:-1], Turn("user", text)))


def chat(family: str, user: str, answer: str, system: str | None = None, **about: str) -> Document:
    """A document of one exchange."""
    turns = (
        (Turn("user", user),) if system is None else (Turn("system", system), Turn("user", user))
    )
    return Document(family, answer, turns, about=about)


def plain(family: str, text: str, **about: str) -> Document:
    """A document of plain text."""
    return Document(family, text, about=about)


def prompt(document: Document) -> str:
    """Everything before the answer, as one string."""
    if not document.turns:
        return BOS + document.prefill
    said = "".join(f"<|{turn.role}|>{turn.text}{END}" for turn in document.turns)
    return f"{BOS}{said}{ASSISTANT}{document.prefill}"


def segments(document: Document) -> list[tuple[str, float]]:
    """The document as pieces of text with the loss weight of their tokens."""
    pieces: list[tuple[str, float]] = [(BOS, 0.0)]
    for turn in document.turns:
        pieces.append((f"<|{turn.role}|>", 0.0))
        pieces.append((turn.text + END, 1.0 if turn.is_learned else document.prompt_weight))
    if document.turns:
        pieces.append((ASSISTANT, 0.0))
    if document.prefill:
        pieces.append((document.prefill, 0.0))
    pieces += document.answer_pieces or ((document.answer, 1.0),)
    pieces.append((END, 1.0))
    return pieces


def text(document: Document) -> str:
    """The whole document as one string."""
    return "".join(piece for piece, _ in segments(document))
