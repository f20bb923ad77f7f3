"""Thinking that a model writes into its answer, kept apart from the answer."""

_PAIRS = (
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("◁think▷", "◁/think▷"),
)


def apart(text: str, opened: bool = False) -> tuple[str, str | None]:
    """Answer and thinking; ``opened`` where the prompt already began the thinking.

    Only what stands at the beginning counts: an answer may speak of ``<think>``. Thinking without
    an end leaves no answer. A closing mark that nothing opened ends a thinking that the chat
    template began.

    >>> apart("<think>2 and 2</think>\\n\\n4")
    ('4', '2 and 2')
    >>> apart("2 and 2</think>4")
    ('4', '2 and 2')
    >>> apart("<think>2 and"), apart("2 and", opened=True)
    (('', '2 and'), ('', '2 and'))
    >>> apart("Write <think> first."), apart("4")
    (('Write <think> first.', None), ('4', None))
    """
    for begin, end in _PAIRS:
        body = text.lstrip()
        if body.startswith(begin):
            thinking, _, answer = body.removeprefix(begin).partition(end)
            return answer.lstrip(), thinking.strip()
        if end in text and begin not in text:
            thinking, _, answer = text.partition(end)
            return answer.lstrip(), thinking.strip()
    return ("", text.strip()) if opened else (text, None)
