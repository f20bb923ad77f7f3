"""The pages of trends and of many models, as a browser shows them."""

from pathlib import Path

import pytest

from safemark.reports.across import across
from safemark.reports.across_text import across_html
from safemark.reports.published import published_sets
from safemark.reports.trend import trend
from safemark.reports.trend_html import trend_html
from safemark.store import Store
from tests.histories import add_run, day
from tests.reports import chromium as browser


@pytest.fixture
def pages(tmp_path: Path) -> list[Path]:
    store = Store(str(tmp_path / "store.db"))
    for i in range(60):
        scorer = "0" if i < 10 else "1"
        passed = 0.9 if i < 40 else 0.6
        add_run(store, day(i), passed, absent=1.0 if i == 20 else 0.0, scorer_version=scorer)
    texts = {
        "trend.html": trend_html(trend(store)),
        "across.html": across_html(across(None, published=sorted(published_sets()))),
    }
    store.close()
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return [tmp_path / name for name in texts]


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_ask_for_nothing_and_fit(
    chromium: str, pages: list[Path], tmp_path: Path, width: int, scheme: str
) -> None:
    with browser.page(chromium, tmp_path / "profile") as page:
        for file in pages:
            page.open(file, width, scheme=scheme)
            assert page.requested == []
            assert page.complaints == []
            widest = page.ask("document.documentElement.scrollWidth")
            assert widest <= width, file.name
            outside = page.ask(
                "[...document.querySelectorAll('.chart circle')].filter(one => {"
                " const mark = one.getBoundingClientRect(),"
                " plot = one.closest('svg').getBoundingClientRect();"
                " return mark.left < plot.left - 1 || mark.right > plot.right + 1"
                " || mark.top < plot.top || mark.bottom > plot.bottom }).length"
            )
            assert outside == 0
