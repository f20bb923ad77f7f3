"""What is left out is told once for each reason, and nothing of it is lost."""

import msgspec

from safemark.reports.document import NotCovered
from safemark.reports.html import html
from safemark.reports.left_out import by_reason
from safemark.reports.markdown import markdown
from safemark.reports.terminal import terminal
from tests.reports.documents import grey_document

GAPS = [(name, f"not downloaded; `safemark data pull {name}`") for name in ("bbq", "felm", "bold")]

PARTS = (("bold", "23679"), ("mmlu", "14042"), ("xstest", "450"))


def test_things_left_out_for_one_reason_stand_together() -> None:
    (found,) = by_reason(GAPS)
    assert found.names == ["bbq", "felm", "bold"]
    assert found.why == "not downloaded; `safemark data pull NAME`"
    assert found.named(2) == "bbq, felm and 1 more"


def test_one_alone_keeps_its_reason_word_for_word() -> None:
    (found,) = by_reason(GAPS[:1])
    assert (found.named(), found.why) == ("bbq", "not downloaded; `safemark data pull bbq`")


def test_what_was_asked_in_part_stands_together_however_large_the_part() -> None:
    drawn = "drawn by cluster within category (seed 0)"
    gaps = [(f"the rest of {name}", f"asked: 60 of {of}, {drawn}") for name, of in PARTS]
    (found,) = by_reason(gaps)
    assert found.named(2) == "the rest of bold, mmlu and 1 more"
    assert found.why == f"asked in part, {drawn}"
    (alone,) = by_reason(gaps[:1])
    assert (alone.named(), alone.why) == gaps[0]


def test_only_whole_names_are_taken_out_of_a_reason() -> None:
    found = by_reason([("age", "no manager"), ("race", "no manager")])
    assert [one.why for one in found] == ["no manager"]


def test_every_form_names_the_reason_once_and_the_pages_all_that_it_holds() -> None:
    gaps = [NotCovered(*gap) for gap in GAPS]
    document = msgspec.structs.replace(grey_document(), not_covered=gaps)
    page, text = html(document), markdown(document)
    shown = terminal(document, 100, False)
    assert "safemark data pull NAME" in page
    assert text.count("safemark data pull NAME") == shown.count("safemark data pull NAME") == 1
    for name, _ in GAPS:
        assert name in page
        assert name in text
        assert f"data pull {name}" not in page + text + shown
