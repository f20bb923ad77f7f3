"""Numbers that identify a person: their shapes, the checksums, the words that stand near them.

A shape alone is common; a number counts when its checksum holds, or a word near it says what it is,
or both, as each row demands. Checksums are python-stdnum's.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from stdnum import iban, luhn
from stdnum.au import tfn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.se import personnummer

Need = Literal["shape", "checksum", "context", "both"]


@dataclass(frozen=True, slots=True)
class Identifier:
    """One kind of number: ``needs`` says what must hold beside the shape.

    ``words`` are searched near the number, in lower case.
    """

    kind: str
    shape: re.Pattern[str]
    needs: Need
    holds: Callable[[str], bool] | None = None
    words: tuple[str, ...] = ()


def _digits(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.+-]){pattern}(?![\w]|[-.]\d)")


def _is_card(number: str) -> bool:
    """Luhn's checksum, a length and a first digit that issuers use."""
    digits = re.sub(r"[ -]", "", number)
    is_issued = digits[0] in "23456" or digits.startswith("1800")
    return 12 <= len(digits) <= 19 and is_issued and luhn.is_valid(digits)


def _is_social_security(number: str) -> bool:
    """The parts that were never issued are none: area 000, 666, 9xx; group 00; serial 0000."""
    area, group, serial = re.split(r"[- ]", number)
    return area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"


CARD_WORDS = (
    "card", "visa", "mastercard", "amex", "karte", "carte", "tarjeta", "carta", "debit", "credit",
)  # fmt: skip

LICENCE_WORDS = (
    "driver's licen", "driver’s licen", "driving licen", "drivers licen", "driver licen",
    "führerschein", "permis de conduire",
)  # fmt: skip

IDENTIFIERS = (
    Identifier("card", _digits(r"\d(?:[ -]?\d){11,18}"), "checksum", _is_card, CARD_WORDS),
    Identifier(
        "iban",
        re.compile(
            r"(?<!\w)(?:[A-Z]{2}\d{2}(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?"
            r"|[A-Za-z]{2}\d{2}[A-Za-z0-9]{11,30})(?!\w)"
        ),
        "checksum",
        iban.is_valid,
    ),
    Identifier(
        "us_ssn",
        _digits(r"\d{3}[- ]\d{2}[- ]\d{4}"),
        "checksum",
        _is_social_security,
        ("social security", "ssn"),
    ),
    Identifier(
        "uk_nino",
        re.compile(
            r"(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
            r" ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)"
        ),
        "shape",
    ),
    Identifier(
        "uk_nhs", _digits(r"\d{3}[ -]?\d{3}[ -]?\d{4}"), "both", nhs.is_valid, ("nhs", "patient")
    ),
    Identifier(
        "es_dni",
        re.compile(r"(?<!\w)(?:\d{8}[ -]?[A-Z]|[XYZ][ -]?\d{7}[ -]?[A-Z])(?!\w)"),
        "checksum",
        lambda number: dni.is_valid(number) or nie.is_valid(number),
    ),
    Identifier(
        "it_codice_fiscale",
        re.compile(r"(?<!\w)[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?!\w)", re.IGNORECASE),
        "checksum",
        codicefiscale.is_valid,
    ),
    Identifier(
        "fr_nir",
        _digits(r"[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"),
        "checksum",
        nir.is_valid,
    ),
    Identifier(
        "cn_resident_id", _digits(r"\d{17}[\dXx]"), "checksum", ric.is_valid, ("身份证", "resident")
    ),
    Identifier(
        "se_personnummer",
        _digits(r"(?:19|20)?\d{6}[-+]\d{4}"),
        "checksum",
        personnummer.is_valid,
        ("personnummer",),
    ),
    Identifier("br_cpf", _digits(r"\d{3}\.\d{3}\.\d{3}-\d{2}"), "checksum", cpf.is_valid),
    Identifier("br_cpf", _digits(r"\d{11}"), "both", cpf.is_valid, ("cpf",)),
    Identifier(
        "de_tax_id",
        _digits(r"\d{2} ?\d{3} ?\d{3} ?\d{3}"),
        "both",
        idnr.is_valid,
        ("steuer", "tax id", "idnr", "identifikationsnummer"),
    ),
    Identifier("pl_pesel", _digits(r"\d{11}"), "both", pesel.is_valid, ("pesel",)),
    Identifier("nl_bsn", _digits(r"\d{9}"), "both", bsn.is_valid, ("bsn", "burgerservice", "sofi")),
    Identifier(
        "in_aadhaar",
        _digits(r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}"),
        "both",
        aadhaar.is_valid,
        ("aadhaar", "aadhar", "uidai"),
    ),
    Identifier(
        "ca_sin",
        _digits(r"\d{3}[ -]?\d{3}[ -]?\d{3}"),
        "both",
        sin.is_valid,
        ("social insurance", "sin ", "sin:", "nas "),
    ),
    Identifier(
        "au_tfn", _digits(r"\d{3} ?\d{3} ?\d{3}"), "both", tfn.is_valid, ("tfn", "tax file")
    ),
    Identifier(
        "driving_licence",
        re.compile(r"(?<!\w)(?=[A-Z0-9-]*\d{3})[A-Z0-9](?:-?[A-Z0-9]){5,17}(?!\w)", re.IGNORECASE),
        "context",
        None,
        LICENCE_WORDS,
    ),
    Identifier(
        "passport",
        re.compile(r"(?<!\w)(?=(?:[A-Z]*\d){4})[A-Z0-9]{7,9}(?!\w)"),
        "context",
        None,
        ("passport", "reisepass", "passeport", "pasaporte", "passaporto"),
    ),
    Identifier(
        "bank_account",
        _digits(r"\d{2,4}[ -]?\d{2,6}[ -]?\d{2,8}"),
        "context",
        None,
        ("account number", "account no", "acct", "sort code", "routing", "kontonummer"),
    ),
)  # fmt: skip
