"""The scorecard as GitHub-flavoured Markdown, for a pull request or an issue.

Every expression of `templates/scorecard.md.jinja` passes `escaped` unless it was made here, so
that no text of a document can open a link, a tag, a table cell, a mention or a heading.
"""

import math
import re
from functools import cache
from typing import Any

import jinja2
from markupsafe import escape

from safemark.reports.document import Document, LightName
from safemark.reports.templates import wording

GLYPHS: dict[LightName, str] = {"green": "🟢", "yellow": "🟡", "red": "🔴", "grey": "⚪"}

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~&$]")
_BREAK = "&#8203;"  # a space of no width, so that GitHub links no mention and no address by itself
_AUTOLINK = re.compile(r"(?i)(?<=[@#])|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=mailto:)|(?<=xmpp:)")
_BLOCK = re.compile(r"^(?=([-+#=]|\d+[.)])(\s|$)|[-=]+\s*$)")
_LINK = re.compile(r"https://[A-Za-z0-9._~/%#?&=+:-]*[A-Za-z0-9/]")


class Made(str):
    """Markdown made here, not to be escaped again."""

    __slots__ = ()


def markdown(document: Document) -> str:
    """The report of ``document``."""
    text = _environment().get_template("scorecard.md.jinja").render(document=document)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def escaped(text: str) -> str:
    r"""``text`` as Markdown that shows it and does nothing.

    >>> escaped("<b>[x](y)|z")
    '\\<b\\>\\[x\\](y)\\|z'
    """
    shown = _SPECIAL.sub(r"\\\g<0>", wording.visible(text).strip())
    return _BLOCK.sub(_BREAK, _AUTOLINK.sub(_BREAK, shown))


def code(text: str) -> Made:
    """``text`` as a code span. Not for tables, whose cells a pipe ends even here."""
    shown = wording.visible(text).strip()
    fence = "`" * (_longest_run(shown) + 1)
    pad = " " if "`" in shown or not shown else ""
    return Made(f"{fence}{pad}{shown}{pad}{fence}")


def fenced(line: str) -> Made:
    """One line as a block of code."""
    fence = "`" * max(3, _longest_run(line) + 1)
    return Made(f"{fence}sh\n{line}\n{fence}")


def linked(text: str) -> Made:
    """``text`` escaped but for its https addresses. For citations only: they are ours."""
    parts: list[str] = []
    end = 0
    for match in _LINK.finditer(text):
        parts += [escaped(text[end : match.start()]), f"<{match[0]}>"]
        end = match.end()
    return Made(" ".join(part for part in [*parts, escaped(text[end:])] if part))


def summarised(text: str) -> Made:
    """``text`` inside our own HTML tags, where Markdown's escapes do not hold."""
    return Made(_AUTOLINK.sub(_BREAK, str(escape(wording.visible(text)))))


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _shown(value: Any) -> Any:
    if isinstance(value, Made):
        return str(value)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return wording.UNKNOWN
    return escaped(value) if isinstance(value, str) else value


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("safemark.reports", "templates"),
        autoescape=False,  # noqa: S701 (this is Markdown: `finalize` escapes for it)
        finalize=_shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        w=wording,
        glyph=lambda light: Made(GLYPHS[light]),
        code=code,
        fenced=fenced,
        linked=linked,
        summarised=summarised,
    )
    return environment
