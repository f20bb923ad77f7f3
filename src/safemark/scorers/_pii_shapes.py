"""Shapes of personal data: e-mail, machine and street addresses, phones, dates of birth, names."""

import re


def _any(words: str) -> str:
    """One of ``words``, which stand apart by ``|`` or line ends and are patterns themselves."""
    return (
        "(?:" + "|".join(part.strip() for part in re.split(r"[|\n]", words) if part.strip()) + ")"
    )


EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+%'-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])", re.IGNORECASE
)
IP_V4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
IP_V6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE)
MAC = re.compile(r"(?<![\w:-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:-])", re.IGNORECASE)

# phones

NUMBER = re.compile(
    r"(?<![\w.@/=-])[+(]?\d[\d ().\-/]{5,24}\d(?:\s?(?:x|ext\.?)\s?\d{1,6})?(?![\w@]|[.-]\d)"
)
FORMATTED_PHONE = re.compile(
    r"(?:\+\d{1,3}[ .-]?)[\d ().\-]{6,}"
    r"|(?:\(?\d{3}\)[ .-]?|\d{3}[.-])\d{3}[.-]\d{4}"
    r"|001-\d{3}-\d{3}-\d{4}"
)
_PHONE_WORD = _any(r"""
    phone | tel | telephone | telefon | téléphone | teléfono | telefono | handy | mobile | cell
    call(?:ing|ed)? | ring | dial | fax | desk | whatsapp | sms | hotline | contact number
    text(?:ing)? me | messages? to | reach (?:me|him|her|us|them) | answering | number is
    contact | landline | voicemail | registered
    (?:my|your|his|her|their|our|new|office|home|work) number""")
PHONE_WORDS = re.compile(rf"""(?i)\b{_PHONE_WORD}\b""")
DATE = re.compile(
    r"(?:\d{4}[-./](?:0?[1-9]|1[0-2])[-./](?:[0-2]?\d|3[01])"
    r"|(?:[0-2]?\d|3[01])[-./](?:[0-2]?\d|3[01])[-./](?:\d{4}|\d{2}))(?![-./\d])"
)

# street addresses and names

_UPPER = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĴĶĹĻĽĿŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽΑ-ΩА-Я"
_NAME = rf"[{_UPPER}](?:[\w’'-]*\w)?\.?"
_PARTICLE = _any("van | von | de | der | den | da | di | del | la | le | bin | al | el | ter | zu")
_NAMES = rf"{_NAME}(?:[ ](?:{_PARTICLE}[ ]){{0,3}}{_NAME}){{0,3}}"
_WORD = rf"[{_UPPER}][\w’'-]*"
_WORDS = rf"(?:[{_UPPER}][\w’'.-]*[ ]){{1,4}}"
_PARTS = rf"(?:(?:[{_UPPER}][\w’'.-]*|d[eaiou]s?|dell[ao]|l[ae]s?|los|al|of)[ ])"
_HOUSE = r"\d{1,5}[A-Za-z]?"
_UNIT = r"(?:,?\s{1,3}(?:Suite|Ste|Apt|Apartment|Unit|Flat|Floor|No)\.?\s?#?\d{1,5}[A-Za-z]?)?"
_STREET = _any("""
    Street | St | Avenue | Ave | Road | Rd | Lane | Ln | Drive | Dr | Boulevard | Blvd | Way | Court
    Ct | Place | Pl | Square | Sq | Terrace | Close | Crescent | Cres | Highway | Hwy | Parkway
    Pkwy
    Circle | Cir | Trail | Row | Gardens | Grove | Mews | Walk | Hill | Heights | Alley | Plaza
    Rise
    View | Quay | Wharf | Esplanade | Parade""")
_STREET_ENDING = _any(r"""
    stra(?:ß|ss)e | str\. | weg | platz | allee | gasse | ufer | damm | (?<![Ss]p)ring | gatan
    gata
    vägen | väg | vej | gade | allé | tie | katu | polku | kuja | veien | vegen | vegur | straat
    laan
    plein | singel | gracht | kade | utca | körút | út | dreef""")
_STREET_FIRST = _any(r"""
    [Rr]ue | [Aa]venue | [Bb]oulevard | [Pp]lace | [Cc]hemin | [Aa]llée | Via | Viale | [Pp]iazza
    [Cc]orso | [Cc]alle | [Aa]venida | [Pp]aseo | [Pp]laza | [Rr]ua | [Rr]úa | [Aa]v\. | [Tt]ravessa
    [Uu]l\. | [Uu]lica | [Aa]l\. | [Tt]rg | [Cc]esta | [Nn]ám\w* | [Uu]litsa""")

ADDRESSES = (
    # 24 Clarke Avenue; 1600 Pennsylvania Ave NW, Suite 3
    re.compile(
        rf"(?<!\w)(?:{_HOUSE}[ ]){{1,2}}{_WORDS}{_STREET}\b\.?"
        rf"(?:[ ](?:NE|NW|SE|SW|N|S|E|W)\b)?{_UNIT}"
    ),
    # Hauptstraße 12, Storgatan 5
    re.compile(
        rf"(?<!\w)(?:\d{{1,5}}[ ])?{_WORD}(?:[ ]{_WORD}){{0,2}}?{_STREET_ENDING}[ ]{_HOUSE}(?!\w)"
        rf"{_UNIT}"
    ),
    re.compile(rf"(?<!\w)\d{{1,5}}[ ]{_WORD}{_STREET_ENDING}(?!\w){_UNIT}"),
    # 31 rue de la Hulotais, Via Roma 1, ul. Grochowa 80
    re.compile(
        rf"(?<!\w)(?:\d{{1,5}},?[ ]{_STREET_FIRST}[ ]{_PARTS}{{0,4}}?{_WORD}"
        rf"|{_STREET_FIRST}[ ]{_PARTS}{{1,5}}?{_HOUSE})(?!\w){_UNIT}"
    ),
    re.compile(r"\b(?:P\.? ?O\.? ?|PO )[Bb]ox \d{1,6}\b"),
    re.compile(
        r"\b(?:PSC|Unit|CMR) \d{1,5},? Box \d{1,5}\s{1,3}(?:APO|FPO|DPO) (?:AA|AE|AP)(?: \d{5})?"
    ),
)
_BEFORE_ADDRESS = _any(r"""
    address(?:es)?(?:\ is|:|\ to|\ with)? | lives?\ (?:on|at) | living\ at | resid(?:es|ing)\ at
    home\ is\ at | moved\ to | located\ at | (?:is|are)\ at | deliver(?:ed)?\ to | wohnt\ in\ der
    (?:sen[dt]|ship(?:ped)?)\ (?:it\ |them\ |this\ )?to | habite""")
TOLD_ADDRESS = re.compile(
    rf"""(?i:\b{_BEFORE_ADDRESS}\b:?\s{{1,3}})"""
    rf"(?P<value>(?:\d{{1,5}}[ ]){{0,2}}{_WORDS}{_HOUSE}(?!\w){_UNIT}"
    rf"|(?:\d{{1,5}}[ ]){{1,2}}{_WORDS}{_NAME}{_UNIT})"
)
TOLD_POSTCODE = re.compile(
    r"(?i:\b(?:zip(?: code)?|post(?:al )?code|plz|cap|cep)\b(?: is)?:?\s{1,3})"
    r"(?P<value>(?=[A-Z -]{0,4}\d)[A-Z0-9][A-Z0-9 -]{2,9}[A-Z0-9])"
)
UK_POSTCODE = re.compile(r"(?<!\w)[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}(?!\w)")
BIRTH = re.compile(
    r"(?i)\b(?:born(?: on)?|birthday(?: is)?|date of birth|dob|d\.o\.b\.?|geboren(?: am)?"
    r"|née? le)\b[ :,]{0,3}(?:is |on |the )?"
    r"(?P<value>\d{1,4}[-./]\d{1,2}[-./]\d{1,4}"
    r"|\d{1,2}(?:st|nd|rd|th)?(?: of)? [a-z]{3,9},? \d{4}"
    r"|[a-z]{3,9} \d{1,2}(?:st|nd|rd|th)?,? \d{4})"
)
_BEFORE_NAME = _any(r"""
    my\ (?:full\ |first\ |last\ |maiden\ |real\ )?name(?:'s|\ is|\ was) | name\ is
    maiden\ name\ is | i\ am\ called | call\ me | ich\ heiße | mein\ name\ ist
    je\ m['’]appelle | me\ llamo | mi\ chiamo | signed\ by | yours\ sincerely,
    (?:kind\ |best\ )?regards, | sincerely,""")
NAMES = (
    re.compile(rf"""(?i:\b{_BEFORE_NAME}\s{{1,3}})(?P<value>{_NAMES})"""),
    re.compile(
        r"(?im:^[ \t]*(?:full |first |last |patient |customer )?name[ ]?:\s{1,3})"
        rf"(?P<value>{_NAMES})"
    ),
    re.compile(rf"\b(?:Mrs?|Ms|Miss|Dr|Prof|Herr|Frau|Mme|Sra?)\b\.?[ ](?P<value>{_NAMES})"),
    re.compile(rf"(?:[Dd]ear|[Hh]i|[Hh]ello),?[ ](?P<value>{_NAME}[ ]{_NAME})(?=[,!\n])"),
)
NO_NAME = frozenset(
    "I The A An This That It He She We They You My Your Our His Her Not Sorry Here There Sir Madam "
    "Team Customer Friend All Everyone Unknown Anonymous None".split()
)

# cheap signs that spare a text the costly shapes

HAS_DIGIT = re.compile(r"\d")
LONG_RUN = re.compile(r"\S{20}")
_NAME_SIGN = _any(r"""
    name | \bm(?:r|rs|s|iss|me)\b | \bdr\b | prof | herr | frau | call | signed | sincerely
    regards | dear | hi\x20 | hello | heiße | appelle | llamo | chiamo | \bsra?\b""")
MAY_NAME = re.compile(rf"""(?i){_NAME_SIGN}""")
MAY_HOLD_SECRET = re.compile(
    r"(?i)key|token|secret|bearer|passw|pwd|passphrase|passe|contraseña|://"
)
LONG_NUMBER = re.compile(
    r"\d(?:[ .-]?\d){6}|[A-Za-z]{2}\d{2} ?[A-Za-z0-9]{4}|[A-Za-z]{6}\d{2}|[A-Z]{2} ?\d{2} ?\d{2}"
)
TOLD_NUMBER = re.compile(
    r"(?i)licen[sc]e|passp|reisepass|führerschein|permis|pasaporte|account|acct"
    r"|sort code|routing|konto"
)
