"""The store itself: written whole batches at a time, read as far as is asked."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from safemark.errors import UnknownName, UsageError
from safemark.secrets import scrubbed, scrubbed_bytes
from safemark.store.columns import column_text, encoded, score_columns, transcript_columns
from safemark.store.database import Database
from safemark.store.nouns import (
    Entry,
    Kept,
    PartBody,
    RunBody,
    StoredPart,
    StoredRun,
    Text,
    Usage,
    now,
)
from safemark.store.tables import PART, RUN, SCORE, SCORER, TEXT, TRANSCRIPT
from safemark.types import Reason, Row, Score, Transcript


class Store:
    """An open store. Safe to use from one writing thread and any number of readers."""

    def __init__(self, url: str | None = None) -> None:
        self._database = Database(url)
        self.url = self._database.url
        self.engine = self._database.engine

    @property
    def shown_url(self) -> str:
        """The store's address without its password."""
        return self._database.shown_url

    def close(self) -> None:
        """Let go of all connections."""
        self._database.close()

    def add_run(self, run: StoredRun) -> None:
        """Keep a new run."""
        values = {name: getattr(run, name) for name in _RUN_COLUMNS}
        body = scrubbed_bytes(encoded(run.body))
        with self._database.writing() as connection:
            connection.execute(RUN.insert(), {**values, "body": body})

    def set_status(self, run_id: str, status: str, why: str = "") -> None:
        """Say where a run stands; anything but ``running`` also sets the time it ended."""
        ended = None if status == "running" else now()
        values = {"status": status, "status_why": column_text(scrubbed(why)), "finished": ended}
        with self._database.writing() as connection:
            connection.execute(RUN.update().where(RUN.c.id == run_id).values(values))

    def runs(self, newest: int | None = None) -> list[StoredRun]:
        """All runs, newest first."""
        query = sa.select(RUN).order_by(RUN.c.started.desc(), RUN.c.id.desc())
        with self._database.reading() as connection:
            return [_stored_run(row) for row in connection.execute(query.limit(newest))]

    def run(self, id_or_start: str) -> StoredRun:
        """The run of that id, or of that unmistakable beginning of one; ``last`` is the newest.

        Raises:
            UnknownName: there is none, or more than one begins so.
        """
        if id_or_start == "last":
            newest = self.runs(newest=1)
            if not newest:
                raise UsageError("the store holds no run yet", "`safemark run` makes one")
            return newest[0]
        with self._database.reading() as connection:
            query = sa.select(RUN).where(RUN.c.id.startswith(id_or_start, autoescape=True))
            rows = connection.execute(query.limit(2)).all()
            known = connection.execute(sa.select(RUN.c.id)).scalars().all() if not rows else ()
        if len(rows) == 1:
            return _stored_run(rows[0])
        if rows:
            exact = [row for row in rows if row.id == id_or_start]
            if exact:
                return _stored_run(exact[0])
            raise UsageError(f"several runs begin with `{id_or_start}`", "give more of the id")
        raise UnknownName("run", id_or_start, known, "safemark list runs")

    def unfinished(self, spec_key: str) -> list[StoredRun]:
        """Runs of that very command that did not end, newest first."""
        query = (
            sa.select(RUN)
            .where(RUN.c.spec_key == spec_key, RUN.c.status != "complete")
            .order_by(RUN.c.started.desc(), RUN.c.id.desc())
        )
        with self._database.reading() as connection:
            return [_stored_run(row) for row in connection.execute(query)]

    def remove_run(self, run_id: str) -> None:
        """Delete a run and all its records."""
        parts = sa.select(PART.c.id).where(PART.c.run_id == run_id).scalar_subquery()
        with self._database.writing() as connection:
            for table in (SCORE, TEXT, TRANSCRIPT):
                connection.execute(table.delete().where(table.c.part_id.in_(parts)))
            connection.execute(PART.delete().where(PART.c.run_id == run_id))
            connection.execute(RUN.delete().where(RUN.c.id == run_id))

    def ensure_part(
        self, run_id: str, benchmark: str, version: str, asked: str, attack: str, body: PartBody
    ) -> StoredPart:
        """The run's part of that benchmark, way and attack; made when it is not there."""
        key = {
            "run_id": run_id,
            "benchmark": benchmark,
            "version": version,
            "asked": asked,
            "attack": attack,
        }
        where = sa.and_(*(PART.c[name] == value for name, value in key.items()))
        with self._database.writing() as connection:
            if (found := connection.execute(sa.select(PART).where(where)).first()) is None:
                connection.execute(PART.insert(), {**key, "body": scrubbed_bytes(encoded(body))})
                found = connection.execute(sa.select(PART).where(where)).one()
        return _stored_part(found)

    def parts(self, run_id: str) -> list[StoredPart]:
        """The parts of a run, in the order they were made."""
        query = sa.select(PART).where(PART.c.run_id == run_id).order_by(PART.c.id)
        with self._database.reading() as connection:
            return [_stored_part(row) for row in connection.execute(query)]

    def scorer_of(self, part: StoredPart) -> int:
        """The id of the scorer that a part was judged by; readers ask for it, nothing is written.

        0 is no scorer's id: a part of which nothing was judged yet.
        """
        key = (part.body.scorer, part.body.scorer_version, part.body.judge)
        query = sa.select(SCORER.c.id).where(
            SCORER.c.name == key[0], SCORER.c.version == key[1], SCORER.c.judge == key[2]
        )
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar() or 0)

    def ensure_scorer(self, name: str, version: str, judge: str = "") -> int:
        """The id of a scorer and judge."""
        key = {"name": name, "version": version, "judge": judge}
        query = sa.select(SCORER.c.id).where(*(SCORER.c[n] == v for n, v in key.items()))
        with self._database.writing() as connection:
            if (found := connection.execute(query).scalar()) is None:
                connection.execute(SCORER.insert(), key)
                found = connection.execute(query).scalar_one()
        return int(found)

    # records

    def append(self, entries: Sequence[Entry]) -> None:
        """Store finished samples, all or none of them."""
        transcripts, texts, scores = [], [], []
        for entry in entries:
            place = {"part_id": entry.part_id, "position": entry.position}
            transcripts.append(place | transcript_columns(entry))
            body = encoded(Text(entry.sample, entry.transcript))
            texts.append(place | {"body": scrubbed_bytes(body)})
            scores.append(place | score_columns(entry.scorer_id, entry.score))
        replaced = [entry for entry in entries if entry.replaces]
        with self._database.writing() as connection:
            for entry in replaced:
                for table in (SCORE, TEXT, TRANSCRIPT):
                    connection.execute(table.delete().where(_at(table, entry)))
            connection.execute(TRANSCRIPT.insert(), transcripts)
            connection.execute(TEXT.insert(), texts)
            connection.execute(SCORE.insert(), scores)

    def rescore(self, part_id: int, scorer_id: int, scores: Sequence[tuple[int, Score]]) -> None:
        """Store scores by position, in place of that scorer's earlier ones."""
        with self._database.writing() as connection:
            for position, _ in scores:
                connection.execute(
                    SCORE.delete().where(
                        SCORE.c.part_id == part_id,
                        SCORE.c.position == position,
                        SCORE.c.scorer_id == scorer_id,
                    )
                )
            connection.execute(
                SCORE.insert(),
                [
                    {"part_id": part_id, "position": position, **score_columns(scorer_id, score)}
                    for position, score in scores
                ],
            )

    def kept(self, part_id: int, scorer_id: int) -> dict[int, Kept]:
        """What is stored of a part, by position."""
        joined = TRANSCRIPT.outerjoin(
            SCORE,
            sa.and_(
                SCORE.c.part_id == TRANSCRIPT.c.part_id,
                SCORE.c.position == TRANSCRIPT.c.position,
                SCORE.c.scorer_id == scorer_id,
            ),
        )
        query = (
            sa.select(
                TRANSCRIPT.c.position,
                TRANSCRIPT.c.ask_key,
                TRANSCRIPT.c.absent,
                SCORE.c.scorer_id,
                SCORE.c.absent,
            )
            .select_from(joined)
            .where(TRANSCRIPT.c.part_id == part_id)
        )
        with self._database.reading() as connection:
            return {
                position: Kept(bytes(key), absent, scored is not None, score_absent)
                for position, key, absent, scored, score_absent in connection.execute(query)
            }

    def rows(self, part: StoredPart, scorer_id: int) -> list[Row]:
        """The rows that metrics read, in the order of the benchmark; no text is read."""
        query = (
            sa.select(
                TRANSCRIPT.c.sample_id,
                TRANSCRIPT.c.repeat,
                TRANSCRIPT.c.category,
                TRANSCRIPT.c.cluster,
                TRANSCRIPT.c.facets,
                TRANSCRIPT.c.absent,
                SCORE.c.outcomes,
                SCORE.c.absent,
            )
            .select_from(
                TRANSCRIPT.outerjoin(
                    SCORE,
                    sa.and_(
                        SCORE.c.part_id == TRANSCRIPT.c.part_id,
                        SCORE.c.position == TRANSCRIPT.c.position,
                        SCORE.c.scorer_id == scorer_id,
                    ),
                )
            )
            .where(TRANSCRIPT.c.part_id == part.id)
            .order_by(TRANSCRIPT.c.position)
        )
        cells = msgspec.json.Decoder(dict[str, str | int | float | bool | None])
        rows = []
        with self._database.reading() as connection:
            for found in connection.execute(query):
                sample, repeat, category, cluster, facets, absent, outcomes, unscored = found
                reason = absent or unscored or (Reason.NOT_ASKED if outcomes is None else None)
                rows.append(
                    Row(
                        sample_id=sample,
                        repeat=repeat,
                        category=category,
                        cluster=cluster,
                        facets=cells.decode(facets),
                        outcomes=cells.decode(outcomes) if outcomes else {},
                        absent=Reason(reason) if reason else None,
                    )
                )
        return rows

    def texts(
        self, part_id: int, *, sample_id: str | None = None, positions: Iterable[int] | None = None
    ) -> Iterator[tuple[int, str, int, Text]]:
        """Position, sample id, repeat and text of a part's records, few in memory at a time.

        ``positions`` are some hundreds at most: each is a parameter of the query.
        """
        query = (
            sa.select(
                TRANSCRIPT.c.position, TRANSCRIPT.c.sample_id, TRANSCRIPT.c.repeat, TEXT.c.body
            )
            .select_from(
                TRANSCRIPT.join(
                    TEXT,
                    sa.and_(
                        TEXT.c.part_id == TRANSCRIPT.c.part_id,
                        TEXT.c.position == TRANSCRIPT.c.position,
                    ),
                )
            )
            .where(TRANSCRIPT.c.part_id == part_id)
            .order_by(TRANSCRIPT.c.position)
        )
        if sample_id is not None:
            query = query.where(TRANSCRIPT.c.sample_id == sample_id)
        if positions is not None:
            query = query.where(TRANSCRIPT.c.position.in_(list(positions)))
        decoder = msgspec.json.Decoder(Text)
        with self._database.reading() as connection:
            streamed = connection.execution_options(yield_per=500).execute(query)
            for position, sample, repeat, body in streamed:
                yield position, sample, repeat, decoder.decode(body)

    def scores(self, part_id: int, position: int) -> list[tuple[str, str, str, Score]]:
        """Scorer name, version, judge and score of one record."""
        query = (
            sa.select(SCORER, SCORE.c.absent, SCORE.c.outcomes, SCORE.c.why)
            .select_from(SCORE.join(SCORER, SCORER.c.id == SCORE.c.scorer_id))
            .where(SCORE.c.part_id == part_id, SCORE.c.position == position)
            .order_by(SCORER.c.id)
        )
        with self._database.reading() as connection:
            return [
                (
                    row.name,
                    row.version,
                    row.judge,
                    Score(
                        msgspec.json.decode(row.outcomes),
                        Reason(row.absent) if row.absent else None,
                        row.why,
                    ),
                )
                for row in connection.execute(query)
            ]

    def replies(self, ask_keys: Sequence[bytes]) -> dict[bytes, Transcript]:
        """Stored transcripts, of any run, that answer these asks; absent ones are left out."""
        joined = TRANSCRIPT.join(
            TEXT,
            sa.and_(
                TEXT.c.part_id == TRANSCRIPT.c.part_id,
                TEXT.c.position == TRANSCRIPT.c.position,
            ),
        )
        query = (
            sa.select(TRANSCRIPT.c.ask_key, TEXT.c.body)
            .select_from(joined)
            .where(TRANSCRIPT.c.ask_key.in_(list(ask_keys)), TRANSCRIPT.c.absent.is_(None))
        )
        decoder = msgspec.json.Decoder(Text)
        with self._database.reading() as connection:
            return {
                bytes(key): decoder.decode(body).transcript
                for key, body in connection.execute(query)
            }

    def usage(self, run_id: str) -> Usage:
        """What a run's stored transcripts cost."""
        parts = sa.select(PART.c.id).where(PART.c.run_id == run_id).scalar_subquery()
        sums = [
            sa.func.sum(TRANSCRIPT.c[name])
            for name in ("requests", "input_tokens", "output_tokens", "cost_usd", "seconds")
        ]
        with self._database.reading() as connection:
            found = connection.execute(sa.select(*sums).where(TRANSCRIPT.c.part_id.in_(parts)))
            requests, input_tokens, output_tokens, cost, seconds = tuple(found.one())
        return Usage(int(requests or 0), input_tokens, output_tokens, cost, float(seconds or 0.0))


_RUN_COLUMNS = (
    "id",
    "spec_key",
    "status",
    "status_why",
    "started",
    "finished",
    "model",
    "identity",
)


def _stored_run(row: Any) -> StoredRun:
    values = {name: getattr(row, name) for name in _RUN_COLUMNS}
    return StoredRun(**values, body=msgspec.json.decode(row.body, type=RunBody))


def _stored_part(row: Any) -> StoredPart:
    body = msgspec.json.decode(row.body, type=PartBody)
    return StoredPart(row.id, row.run_id, row.benchmark, row.version, row.asked, row.attack, body)


def _at(table: sa.Table, entry: Entry) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.part_id == entry.part_id, table.c.position == entry.position)
