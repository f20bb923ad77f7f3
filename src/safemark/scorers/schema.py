"""Is the reply JSON, and does it fit a JSON Schema.

    safemark score FILE --with schema              is it JSON at all
    safemark score FILE --with schema:order.json   does it fit the schema in that file

The whole reply must be one JSON value; a Markdown fence around it is taken off, and said. Schemas
need the extra `schema` (jsonschema). A schema refers to nothing outside its own file.

Checked against: the JSON Schema project's own library, jsonschema, which decides.
"""

import json
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from safemark.benchmarks._benchmark import Metric, Scorer, share
from safemark.errors import UsageError
from safemark.scorers._reply import of_reply
from safemark.types import Reply, Sample, Scalar, Score

_FENCED = re.compile(r"\A```[\w-]*[ \t]*\n(.*?)\n?```\Z", re.DOTALL)
_held = share("fits_schema")
_IS_JSON = Metric("json_rate", "higher", share("is_json"), label="is JSON")
_FITS = Metric(
    "fits_schema_rate",
    "higher",
    lambda row: _held(row) if "fits_schema" in row.outcomes else None,
    label="fits the schema",
)
_BARE = Metric("bare_json_rate", "higher", share("is_bare_json"), label="is JSON and nothing else")
_METRICS = (_FITS, _IS_JSON, _BARE)
_TRUST = "exact"


def parsed(text: str) -> tuple[Any, bool]:
    """The JSON value that a reply is, and whether it stood there bare.

    Raises:
        ValueError: it is none; ``NaN`` and ``Infinity`` are not JSON.
    """
    text = text.strip()
    fenced = _FENCED.match(text)
    value = json.loads(fenced[1] if fenced else text, parse_constant=_no_number)
    return value, fenced is None


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _judged(_sample: Sample, reply: Reply) -> Score:
    outcomes, _, why = _read(reply)
    return Score(outcomes, why=why)


def _read(reply: Reply) -> tuple[dict[str, Scalar], Any, str]:
    try:
        value, is_bare = parsed(reply.text)
    except (ValueError, RecursionError) as error:
        return {"is_json": False, "is_bare_json": False}, None, f"no JSON: {error}"
    why = "JSON" if is_bare else "JSON inside a Markdown fence"
    return {"is_json": True, "is_bare_json": is_bare}, value, why


def _against(schema: Any) -> Callable[[Sample, Reply], Score]:
    from jsonschema.validators import validator_for
    from referencing import Registry

    kind = validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema, registry=Registry())  # an empty one: nothing is fetched

    def judged(_sample: Sample, reply: Reply) -> Score:
        outcomes, value, why = _read(reply)
        if not outcomes["is_json"]:
            return Score({**outcomes, "fits_schema": False}, why=why)
        first = next(validator.iter_errors(value), None)
        if first is None:
            return Score({**outcomes, "fits_schema": True}, why=f"{why}, fits")
        return Score(
            {**outcomes, "fits_schema": False}, why=f"{first.json_path}: {first.message[:200]}"
        )

    return judged


def _for(file: str) -> Scorer:
    """The scorer that holds replies against the schema in ``file``.

    Raises:
        UsageError: the file holds no schema, or jsonschema is not installed.
    """
    try:
        content = Path(file).read_bytes()
        schema = json.loads(content)
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror})", "schema:FILE") from error
    except ValueError as error:
        raise UsageError(f"{file} is no JSON ({error})", "a JSON Schema is a JSON file") from error
    try:
        from jsonschema.exceptions import SchemaError
    except ImportError as error:
        raise UsageError(
            "schemas need jsonschema, which is not installed", "pip install 'safemark[schema]'"
        ) from error
    try:
        judged = _against(schema)
    except (SchemaError, TypeError, AttributeError) as error:
        told = getattr(error, "message", str(error))
        raise UsageError(f"{file} is no JSON Schema: {told}", "json-schema.org") from error
    return Scorer(
        "schema",
        f"1 {sha256(content).hexdigest()[:12]}",
        of_reply(judged),
        metrics=_METRICS,
        trust=_TRUST,
    )


scorer = Scorer(
    name="schema",
    version="1",
    score=of_reply(_judged),
    metrics=_METRICS,
    with_argument=_for,
    trust=_TRUST,
)
