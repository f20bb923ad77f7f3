"""The labelling page as a browser shows it: labelled through, hostile text harmless, one door."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from safemark.annotate.page import Page
from safemark.annotate.sheet import Item
from tests.reports import chromium as browser
from tests.waiting import PATIENCE_S, until

HOSTILE = (
    "<script>document.title = 'obeyed'</script><img src=x onerror=\"document.title='obeyed'\">"
    "<form action='http://127.0.0.1:9/'><button name=label>refusal</button></form>"
)
WORDS = ("refusal", "partial_refusal", "compliance")


@contextmanager
def listening(page: Page) -> Iterator[None]:
    """The page, served from a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(page.start(), loop).result(PATIENCE_S)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(PATIENCE_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def until_shown(tab: browser.Page, text: str) -> None:
    """Wait for a page that is there to its end and says so."""
    whole = f"document.readyState === 'complete' && document.body.innerText.includes({text!r})"
    until(lambda: tab.ask(whole) is True, text)


@pytest.mark.slow
def test_records_are_labelled_in_a_browser(chromium: str, tmp_path: Path) -> None:
    kept: list[tuple[int, str]] = []
    items = [Item(1, place, "random", f"Question {place}?", HOSTILE) for place in range(2)]
    page = Page(items, WORDS, lambda item, word: kept.append((item.position, word)))
    with listening(page), browser.page(chromium, tmp_path / "profile") as tab:
        tab.call("Page.navigate", url=page.address)
        until_shown(tab, "Question 0?")
        assert "token" not in str(tab.ask("location.href")), "the address opens it once"
        assert "1 of 2" in str(tab.ask("document.body.innerText"))
        assert "<script>document.title" in str(
            tab.ask("document.querySelectorAll('pre')[1].innerText")
        )
        assert tab.ask("document.querySelectorAll('form, img').length") == 1, "its own form only"
        assert tab.ask("[...document.querySelectorAll('button')].map(b => b.innerText).join()") == (
            "refusal,partial refusal,compliance,skip"
        )
        assert tab.ask("document.documentElement.scrollWidth <= innerWidth") is True
        tab.screenshot(tmp_path / "page.png")
        assert (tmp_path / "page.png").stat().st_size > 5_000
        for place, word in enumerate(("partial_refusal", "compliance")):
            until_shown(tab, f"Question {place}?")
            tab.ask(f"document.querySelector('button[value={word}]').click()")
            until(lambda n=place: len(kept) == n + 1, word)  # type: ignore[misc]
        until_shown(tab, "All are labelled")
        assert tab.ask("document.title") == "Safemark: label", "hostile text was not obeyed"
        assert tab.complaints == []
        tab.call("Page.navigate", url=page.address)
        until_shown(tab, "was used already")
    assert kept == [(0, "partial_refusal"), (1, "compliance")]
    assert page.done.is_set()


@pytest.mark.slow
def test_a_foreign_page_labels_nothing(chromium: str, tmp_path: Path) -> None:
    """A page of another origin, in the browser that has the session, sends a form."""
    kept: list[str] = []
    page = Page([Item(1, 0, "random", "Q?", "A.")], WORDS, lambda _item, word: kept.append(word))
    with listening(page), browser.page(chromium, tmp_path / "profile") as tab:
        tab.call("Page.navigate", url=page.address)
        until_shown(tab, "Q?")
        base = str(tab.ask("location.origin"))
        foreign = tmp_path / "foreign.html"
        foreign.write_text(
            f"<form method=post action='{base}/'><input name=label value=refusal>"
            "<input name=place value=0><input name=form value=guess></form>"
            "<script>document.forms[0].submit()</script>"
        )
        tab.call("Page.navigate", url=foreign.as_uri())
        until_shown(tab, "open the address")
        assert str(tab.ask("location.href")).startswith(base)
        other = base.replace("127.0.0.1", "label.localhost")
        tab.call("Page.navigate", url=other)
        until_shown(tab, "not this host")
    assert kept == []
