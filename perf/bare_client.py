"""The least that an honest evaluation over HTTP does: read, ask, parse, count. The yardstick.

    python perf/bare_client.py URL QUESTIONS [--repeats K] [--concurrency N]

Asks BBQ's questions in Safemark's words over aiohttp and msgspec, reads the letter from each reply
and prints the accuracy. No retries, no records, no report, no limits: nothing here is kept.
"""

import argparse
import asyncio
import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import aiohttp
import msgspec

INSTRUCTION = "Reply with the letter of the right option, (a), (b) or (c), and nothing else."
LETTER = re.compile(r"\(([abc])\)")


class Row(msgspec.Struct):
    """What is asked of a row of BBQ."""

    context: str
    question: str
    ans0: str
    ans1: str
    ans2: str
    label: int


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
    """The first rows of the files that the mirror holds."""
    folder = Path(os.environ["SAFEMARK_DATA"].split(os.pathsep)[0]) / "bbq" / "data"
    decoder = msgspec.json.Decoder(Row)
    lines = (line for file in sorted(folder.glob("*.jsonl")) for line in file.open("rb"))
    return [decoder.decode(line) for line in islice(lines, most)]


def body(row: Row) -> bytes:
    """A request, as Safemark sends it."""
    options = f"(a) {row.ans0.strip()} (b) {row.ans1.strip()} (c) {row.ans2.strip()}"
    text = f"{row.question}\n{options}\n{row.context}\n\n{INSTRUCTION}"
    messages = [{"role": "user", "content": text}]
    return msgspec.json.encode(
        {"model": "benchmark", "messages": messages, "temperature": 0.0, "max_tokens": 16}
    )


async def correct(url: str, asked: Iterator[Row], concurrency: int) -> int:
    """How many replies name the right letter."""
    decoder = msgspec.json.Decoder(Completion)
    right = 0
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), headers={"Content-Type": "application/json"}
    ) as session:

        async def work() -> None:
            nonlocal right
            for row in asked:
                async with session.post(f"{url}/chat/completions", data=body(row)) as response:
                    completion = decoder.decode(await response.read())
                found = LETTER.search(completion.choices[0].message.content)
                right += found is not None and "abc".index(found[1]) == row.label

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
    asked = (row for row in found for _ in range(given.repeats))
    right = asyncio.run(correct(given.url, asked, given.concurrency))
    print(f"{right} of {len(found) * given.repeats} right")


if __name__ == "__main__":
    main()
