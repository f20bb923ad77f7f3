"""The least that an honest evaluation over HTTP does: read, ask, parse, count. The yardstick.

    python perf/bare_client.py URL QUESTIONS [--repeats K] [--concurrency N]

Asks MMLU's questions in Safemark's words over aiohttp and msgspec, reads the letter from each reply
and prints the accuracy. No retries, no records, no report, no limits: nothing here is kept.
"""

import argparse
import asyncio
import csv
import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import aiohttp
import msgspec

INSTRUCTION = "Reply with the letter of the right option, A, B, C or D, and nothing else."
LETTER = re.compile(r"\(([a-d])\)")


class Row(NamedTuple):
    """A row of MMLU."""

    question: str
    a: str
    b: str
    c: str
    d: str
    answer: str


class Message(msgspec.Struct):
    """A reply's message."""

    content: str


class Choice(msgspec.Struct):
    """A reply's choice."""

    message: Message


class Completion(msgspec.Struct):
    """What is read of a reply."""

    choices: list[Choice]


def rows(most: int) -> list[Row]:
    """The first rows of the files in the mirror."""
    folder = Path(os.environ["SAFEMARK_DATA"].split(os.pathsep)[0]) / "mmlu" / "data" / "test"
    return list(islice(_every_row(folder), most))


def _every_row(folder: Path) -> Iterator[Row]:
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            yield from map(Row._make, csv.reader(file))


def asked(row: Row) -> str:
    """A question in Safemark's words."""
    options = f"A. {row.a}\nB. {row.b}\nC. {row.c}\nD. {row.d}"
    return f"{row.question.strip()}\n{options}\n\n{INSTRUCTION}"


def body(row: Row) -> bytes:
    """A request, as Safemark sends it."""
    messages = [{"role": "user", "content": asked(row)}]
    return msgspec.json.encode(
        {"model": "benchmark", "messages": messages, "temperature": 0.0, "max_tokens": 16}
    )


async def correct(url: str, questions: Iterator[Row], concurrency: int) -> int:
    """How many replies name the right letter."""
    decoder = msgspec.json.Decoder(Completion)
    right = 0
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), headers={"Content-Type": "application/json"}
    ) as session:

        async def work() -> None:
            nonlocal right
            for row in questions:
                async with session.post(f"{url}/chat/completions", data=body(row)) as response:
                    completion = decoder.decode(await response.read())
                found = LETTER.search(completion.choices[0].message.content)
                right += found is not None and found[1].upper() == row.answer

        await asyncio.gather(*(work() for _ in range(concurrency)))
    return right


def main() -> None:
    """Ask, and print what share was right."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("url")
    arguments.add_argument("questions", type=int)
    arguments.add_argument("--repeats", type=int, default=1)
    arguments.add_argument("--concurrency", type=int, default=64)
    given = arguments.parse_args()
    found = rows(given.questions)
    questions = (row for row in found for _ in range(given.repeats))
    right = asyncio.run(correct(given.url, questions, given.concurrency))
    print(f"{right} of {len(found) * given.repeats} right")


if __name__ == "__main__":
    main()
