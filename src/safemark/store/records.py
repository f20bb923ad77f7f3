"""The store itself: written whole batches at a time, read as far as is asked."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safemark.errors import UnknownName, UsageError
from safemark.secrets import masked, scrubbed_bytes
from safemark.store.batches import Batches
from safemark.store.calibrations import Annotations, Calibrations
from safemark.store.columns import (
    column_text,
    encoded,
    score_columns,
    text_column,
    text_of,
    transcript_columns,
)
from safemark.store.database import Database
from safemark.store.nouns import (
    Entry,
    Kept,
    PartBody,
    RunBody,
    StoredPart,
    StoredRun,
    StoredScorer,
    Text,
    Usage,
    now,
)
from safemark.store.outcomes import Outcomes, read_outcomes
from safemark.store.tables import (
    ANNOTATION,
    BATCH_JOB,
    BATCH_REPLY,
    PART,
    RUN,
    RUN_NAME,
    SCORE,
    SCORER,
    TEXT,
    TRANSCRIPT,
)
from safemark.types import Reason, Row, Score, Transcript


class Store:
    """An open store. Safe to use from one writing thread and any number of readers."""

    def __init__(self, url: str | None = None) -> None:
        self._database = Database(url)
        self.batches = Batches(self._database)
        self.calibrations = Calibrations(self._database)
        self.annotations = Annotations(self._database)
        self.url = self._database.url
        self.engine = self._database.engine

    @property
    def shown_url(self) -> str:
        """The store's address without its password."""
        return self._database.shown_url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        values = {"status": status, "status_why": column_text(masked(why)), "finished": ended}
        with self._database.writing() as connection:
            connection.execute(RUN.update().where(RUN.c.id == run_id).values(values))

    def set_run_body(self, run_id: str, body: RunBody) -> None:
        """Keep ``body`` in place of a run's earlier one."""
        with self._database.writing() as connection:
            values = {"body": scrubbed_bytes(encoded(body))}
            connection.execute(RUN.update().where(RUN.c.id == run_id).values(values))

    def set_part_body(self, part_id: int, body: PartBody) -> None:
        """Keep ``body`` in place of a part's earlier one."""
        with self._database.writing() as connection:
            values = {"body": scrubbed_bytes(encoded(body))}
            connection.execute(PART.update().where(PART.c.id == part_id).values(values))

    def runs(self, newest: int | None = None) -> list[StoredRun]:
        """All runs, newest first."""
        query = sa.select(RUN).order_by(RUN.c.started.desc(), RUN.c.id.desc())
        with self._database.reading() as connection:
            return [_stored_run(row) for row in connection.execute(query.limit(newest))]

    def run(self, id_or_start: str) -> StoredRun:
        """The run of that id, of that unmistakable beginning of one, or of that name.

        ``last`` is the newest.

        Raises:
            UnknownName: there is none, or more than one begins so.
        """
        if id_or_start == "last":
            newest = self.runs(newest=1)
            if not newest:
                raise UsageError("the store holds no run yet", "`safemark run` makes one")
            return newest[0]
        named = self.run_names().get(id_or_start) if id_or_start[:1].isalpha() else None
        id_or_start = named or id_or_start
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
            for table in (ANNOTATION, SCORE, TEXT, TRANSCRIPT):
                connection.execute(table.delete().where(table.c.part_id.in_(parts)))
            connection.execute(PART.delete().where(PART.c.run_id == run_id))
            for table in (RUN_NAME, BATCH_REPLY, BATCH_JOB):
                connection.execute(table.delete().where(table.c.run_id == run_id))
            connection.execute(RUN.delete().where(RUN.c.id == run_id))

    def name_run(self, name: str, run_id: str) -> None:
        """Call a run ``name`` from now on, whatever bore that name before."""
        with self._database.writing() as connection:
            connection.execute(RUN_NAME.delete().where(RUN_NAME.c.name == name))
            connection.execute(RUN_NAME.insert(), {"name": name, "run_id": run_id, "named": now()})

    def forget_name(self, name: str) -> None:
        """Take a name away; the run that bore it stays."""
        with self._database.writing() as connection:
            connection.execute(RUN_NAME.delete().where(RUN_NAME.c.name == name))

    def run_names(self) -> dict[str, str]:
        """Name → id of the run that bears it."""
        query = sa.select(RUN_NAME.c.name, RUN_NAME.c.run_id).order_by(RUN_NAME.c.name)
        with self._database.reading() as connection:
            return {str(name): str(run_id) for name, run_id in connection.execute(query)}

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

    def scorers(self, part_id: int) -> list[StoredScorer]:
        """Everyone who judged records of a part, in the order they came to the store."""
        judged = sa.select(SCORE.c.scorer_id).where(SCORE.c.part_id == part_id).distinct()
        query = sa.select(SCORER).where(SCORER.c.id.in_(judged)).order_by(SCORER.c.id)
        with self._database.reading() as connection:
            return [
                StoredScorer(row.id, row.name, row.version, row.judge)
                for row in connection.execute(query)
            ]

    # records

    def append(self, entries: Sequence[Entry]) -> None:
        """Store finished samples, all or none of them."""
        transcripts, texts, scores = [], [], []
        for entry in entries:
            place = (entry.part_id, entry.position)
            transcripts.append(transcript_columns(entry))
            texts.append((*place, text_column(entry.sample, entry.transcript)))
            scores.append(score_columns(*place, entry.scorer_id, entry.score))
            scores += [score_columns(*place, *further) for further in entry.further]
        replaced = [entry for entry in entries if entry.replaces]
        with self._database.writing() as connection:
            for entry in replaced:
                for table in (SCORE, TEXT, TRANSCRIPT):
                    connection.execute(table.delete().where(_at(table, entry)))
            _insert(connection, TRANSCRIPT, transcripts)
            _insert(connection, TEXT, texts)
            _insert(connection, SCORE, scores)

    def rescore(self, part_id: int, scorer_id: int, scores: Sequence[tuple[int, Score]]) -> None:
        """Store scores by position, in place of that scorer's earlier ones."""
        earlier = SCORE.delete().where(
            SCORE.c.part_id == part_id,
            SCORE.c.scorer_id == scorer_id,
            SCORE.c.position.in_([position for position, _ in scores]),
        )
        rows = [score_columns(part_id, position, scorer_id, score) for position, score in scores]
        with self._database.writing() as connection:
            connection.execute(earlier)
            _insert(connection, SCORE, rows)

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

    def rows(
        self,
        part: StoredPart,
        scorer_id: int,
        *,
        most: int | None = None,
        absent_only: bool = False,
    ) -> list[Row]:
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
            .limit(most)
        )
        if absent_only:
            unscored = sa.or_(SCORE.c.absent.is_not(None), SCORE.c.scorer_id.is_(None))
            query = query.where(sa.or_(TRANSCRIPT.c.absent.is_not(None), unscored))
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

    def outcomes(self, part: StoredPart, scorer_id: int) -> Outcomes:
        """The same in columns: for a hundred thousand records, without an object for each."""
        with self._database.reading() as connection:
            return read_outcomes(connection, part.id, scorer_id)

    def positions(self, part_id: int, places: Sequence[int]) -> list[int]:
        """The positions of a part's records, given their places in its stored order."""
        if not places:
            return []
        query = (
            sa.select(TRANSCRIPT.c.position)
            .where(TRANSCRIPT.c.part_id == part_id)
            .order_by(TRANSCRIPT.c.position)
        )
        with self._database.reading() as connection:
            stored = connection.execute(query).scalars().all()
        return [int(stored[place]) for place in places]

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
        with self._database.reading() as connection:
            streamed = connection.execution_options(yield_per=500).execute(query)
            for position, sample, repeat, body in streamed:
                yield position, sample, repeat, text_of(body)

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
        """Stored transcripts, of any run, that answer these asks; absent ones are left out.

        The newest where there are several. ``ask_keys`` are some hundreds at most.
        """
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
            .order_by(TRANSCRIPT.c.part_id)
        )
        with self._database.reading() as connection:
            bodies = {bytes(key): body for key, body in connection.execute(query)}
        return {key: text_of(body).transcript for key, body in bodies.items()}

    def usage(self, run_id: str, part_id: int | None = None) -> Usage:
        """What the stored transcripts of a run, or of one part of it, cost."""
        parts = sa.select(PART.c.id).where(PART.c.run_id == run_id).scalar_subquery()
        chosen = (
            TRANSCRIPT.c.part_id.in_(parts) if part_id is None else TRANSCRIPT.c.part_id == part_id
        )
        sums = [
            sa.func.sum(TRANSCRIPT.c[name])
            for name in (
                *("requests", "input_tokens", "output_tokens", "cost_usd", "seconds"),
                *("retries", "waited_s"),
            )
        ]
        with self._database.reading() as connection:
            found = connection.execute(sa.select(*sums).where(chosen))
            requests, tokens_in, tokens_out, cost, seconds, retries, waited_s = tuple(found.one())
        return Usage(
            int(requests or 0),
            tokens_in,
            tokens_out,
            cost,
            float(seconds or 0.0),
            retries,
            waited_s,
        )


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


def _insert(connection: Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows in the order of the table's columns, as the driver takes them: a third of the time."""
    if not rows:
        return
    quoted = connection.dialect.identifier_preparer.quote
    names = ", ".join(quoted(column.name) for column in table.columns)
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    marks = ", ".join(mark for _ in table.columns)
    connection.exec_driver_sql(
        f"INSERT INTO {quoted(table.name)} ({names}) VALUES ({marks})",  # noqa: S608 - our names
        list(rows),
    )


def _at(table: sa.Table, entry: Entry) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.part_id == entry.part_id, table.c.position == entry.position)
