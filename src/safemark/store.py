"""The memory: runs, their parts, transcripts, texts and scores in SQLite or PostgreSQL.

Numbers lie in columns apart from text, so that a report over many records reads no text. What is
written is committed before it is counted as stored; a killed process loses nothing that was. Who
asks and who judges is not known here.
"""

import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from safemark.errors import StoreError, UnknownName, UsageError
from safemark.secrets import remember, scrubbed, scrubbed_bytes
from safemark.types import Ask, Reason, Row, Sample, Score, Transcript

HEAD = "0001"
"""The newest migration; a test holds it equal to alembic's own answer."""

metadata = sa.MetaData()
_run = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    *(sa.Column(n, sa.String) for n in ("spec_key", "status", "status_why", "started", "finished")),
    sa.Column("model", sa.String),
    sa.Column("identity", sa.String),
    sa.Column("body", sa.LargeBinary),
)
_part = sa.Table(
    "part",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    *(sa.Column(n, sa.String) for n in ("run_id", "benchmark", "version", "asked", "attack")),
    sa.Column("body", sa.LargeBinary),
)
_scorer = sa.Table(
    "scorer",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    *(sa.Column(n, sa.String) for n in ("name", "version", "judge")),
)
_transcript = sa.Table(
    "transcript",
    metadata,
    sa.Column("part_id", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("ask_key", sa.LargeBinary),
    sa.Column("sample_id", sa.String),
    sa.Column("repeat", sa.Integer),
    sa.Column("category", sa.String),
    sa.Column("cluster", sa.String),
    sa.Column("facets", sa.LargeBinary),
    sa.Column("absent", sa.String),
    sa.Column("requests", sa.Integer),
    sa.Column("seconds", sa.Float),
    sa.Column("input_tokens", sa.Integer),
    sa.Column("output_tokens", sa.Integer),
    sa.Column("cost_usd", sa.Float),
)
_text = sa.Table(
    "transcript_text",
    metadata,
    sa.Column("part_id", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("body", sa.LargeBinary),
)
_score = sa.Table(
    "score",
    metadata,
    sa.Column("part_id", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("scorer_id", sa.Integer, primary_key=True),
    sa.Column("absent", sa.String),
    sa.Column("outcomes", sa.LargeBinary),
    sa.Column("why", sa.String),
)


class RunBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of a run beside its columns."""

    safemark: str
    spec: dict[str, Any]
    identity_detail: dict[str, str] = {}
    model_notes: tuple[str, ...] = ()
    environment: dict[str, Any] = {}
    not_covered: tuple[tuple[str, str], ...] = ()


class PartBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of one benchmark × attack of a run.

    ``planned`` counts the samples (times repeats) that were to be asked, by category ("" where
    a sample has none), so that what was never asked is counted where it belongs.
    """

    planned: dict[str, int]
    scorer: str
    scorer_version: str
    judge: str = ""
    in_benchmark: int | None = None
    selection: str = "all"
    partial: str | None = None
    digests: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    ask: Ask = Ask()


class Text(msgspec.Struct, frozen=True):
    """The text half of a record."""

    sample: Sample
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as the store knows it."""

    id: str
    spec_key: str
    status: str
    status_why: str
    started: str
    finished: str | None
    model: str
    identity: str
    body: RunBody


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One benchmark × attack of a run."""

    id: int
    run_id: str
    benchmark: str
    version: str
    asked: str
    attack: str
    body: PartBody


@dataclass(frozen=True, slots=True)
class Kept:
    """What continuing needs to know of one stored sample."""

    ask_key: bytes
    transcript_absent: str | None
    is_scored: bool
    score_absent: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One finished sample on its way into the store; ``replaces`` an earlier, absent try."""

    part_id: int
    position: int
    ask_key: bytes
    sample: Sample
    repeat: int
    transcript: Transcript
    scorer_id: int
    score: Score
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Sums over a run's transcripts; None where no reply told."""

    requests: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    seconds: float


def now() -> str:
    """This moment in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def default_url() -> str:
    """``SAFEMARK_STORE``, or a SQLite file in the platform's data folder."""
    if url := os.environ.get("SAFEMARK_STORE"):
        return url
    import platformdirs

    return f"sqlite:///{Path(platformdirs.user_data_dir('safemark')) / 'safemark.db'}"


class Store:
    """An open store. Safe to use from one writing thread and any number of readers."""

    def __init__(self, url: str | None = None) -> None:
        self.url = url or default_url()
        if "://" not in self.url:
            self.url = f"sqlite:///{self.url}"
        try:
            self._url = sa.make_url(self.url)
        except (sa.exc.ArgumentError, ValueError) as error:
            raise UsageError(
                f"`{scrubbed(self.url)}` is not a store address",
                "use sqlite:///FILE or postgresql://USER@HOST/DATABASE",
            ) from error
        remember(self._url.password)
        self._file = self._prepared_file()
        self.engine = self._engine()
        try:
            self._migrate()
        except BaseException:
            self.engine.dispose()
            raise

    def _prepared_file(self) -> Path | None:
        if self._url.get_backend_name() != "sqlite":
            return None
        if self._url.database in (None, "", ":memory:"):
            # a connection each, as for any store; SQLite's own memory is one connection's alone
            folder = tempfile.mkdtemp(prefix="safemark-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            return Path(folder) / "store.db"
        path = Path(str(self._url.database)).absolute()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            path.chmod(0o600)
        except OSError as error:
            raise StoreError(
                f"the store {path} cannot be written: {error.strerror}",
                "name another with `--store FILE` or SAFEMARK_STORE",
            ) from error
        return path

    def _engine(self) -> Engine:
        backend = self._url.get_backend_name()
        if backend == "sqlite":
            url = self._url.set(drivername="sqlite", database=str(self._file))
            engine = sa.create_engine(url, connect_args={"timeout": 30})
            sa.event.listen(engine, "connect", _prepare_sqlite)
            sa.event.listen(engine, "begin", _begin_sqlite)
            return engine
        if backend == "postgresql":
            url = self._url.set(drivername="postgresql+psycopg")
            try:
                return sa.create_engine(url, connect_args={"connect_timeout": 10})
            except ModuleNotFoundError as error:
                raise StoreError(
                    "PostgreSQL needs the psycopg driver",
                    "pip install 'safemark[postgres]'",
                ) from error
        raise UsageError(
            f"stores of kind `{backend}` are not supported",
            "use sqlite:///FILE or postgresql://USER@HOST/DATABASE",
        )

    def _migrate(self) -> None:
        with self._reading() as connection:
            if sa.inspect(connection).has_table("alembic_version"):
                found = connection.execute(sa.text("SELECT version_num FROM alembic_version"))
                if found.scalar() == HEAD:
                    return
        from alembic import command
        from alembic.config import Config
        from alembic.util.exc import CommandError

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self._writing() as connection:  # one transaction: half a migration is none
            if self._url.get_backend_name() == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(7313521)"))
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise StoreError(
                    f"the store was written by a newer Safemark ({error})",
                    "update Safemark, or name another store with `--store`",
                ) from error

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            raise self._failure("read", error) from error

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self.engine.connect() as idle:
                connection = idle.execution_options(safemark_writes=True)
                with connection.begin():
                    yield connection
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            raise self._failure("written", error) from error

    def _failure(self, what: str, error: Exception) -> StoreError:
        said = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
        cause = scrubbed(said.splitlines()[0])
        hints = {
            "disk is full": "free some space and repeat the command: it continues",
            "disk I/O error": "is the disk full? free some space and repeat the command",
            "No space left": "free some space and repeat the command: it continues",
            "is locked": "another program holds it; repeat the command when that is done",
            "readonly": "make it writable, or name another with `--store FILE`",
            "not a database": "name another file with `--store FILE`",
            "malformed": "the file is damaged; name another with `--store FILE`",
        }
        hint = next((hint for sign, hint in hints.items() if sign in cause), "")
        return StoreError(
            f"the store {self.shown_url} cannot be {what}: {cause}",
            hint or "what was stored before is kept; `safemark doctor` looks closer",
        )

    @property
    def shown_url(self) -> str:
        """The store's address without its password."""
        if self._file is None:
            return self._url.render_as_string(hide_password=True)
        return str(self._url.database or ":memory:")

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    # runs and parts

    def add_run(self, run: StoredRun) -> None:
        """Keep a new run."""
        values = {name: getattr(run, name) for name in _RUN_COLUMNS}
        body = scrubbed_bytes(encoded(run.body))
        with self._writing() as connection:
            connection.execute(_run.insert(), {**values, "body": body})

    def set_status(self, run_id: str, status: str, why: str = "") -> None:
        """Say where a run stands; anything but ``running`` also sets the time it ended."""
        ended = None if status == "running" else now()
        values = {"status": status, "status_why": _column_text(scrubbed(why)), "finished": ended}
        with self._writing() as connection:
            connection.execute(_run.update().where(_run.c.id == run_id).values(values))

    def runs(self, newest: int | None = None) -> list[StoredRun]:
        """All runs, newest first."""
        query = sa.select(_run).order_by(_run.c.started.desc(), _run.c.id.desc())
        with self._reading() as connection:
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
        with self._reading() as connection:
            query = sa.select(_run).where(_run.c.id.startswith(id_or_start, autoescape=True))
            rows = connection.execute(query.limit(2)).all()
            known = connection.execute(sa.select(_run.c.id)).scalars().all() if not rows else ()
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
            sa.select(_run)
            .where(_run.c.spec_key == spec_key, _run.c.status != "complete")
            .order_by(_run.c.started.desc(), _run.c.id.desc())
        )
        with self._reading() as connection:
            return [_stored_run(row) for row in connection.execute(query)]

    def remove_run(self, run_id: str) -> None:
        """Delete a run and all its records."""
        parts = sa.select(_part.c.id).where(_part.c.run_id == run_id).scalar_subquery()
        with self._writing() as connection:
            for table in (_score, _text, _transcript):
                connection.execute(table.delete().where(table.c.part_id.in_(parts)))
            connection.execute(_part.delete().where(_part.c.run_id == run_id))
            connection.execute(_run.delete().where(_run.c.id == run_id))

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
        where = sa.and_(*(_part.c[name] == value for name, value in key.items()))
        with self._writing() as connection:
            if (found := connection.execute(sa.select(_part).where(where)).first()) is None:
                connection.execute(_part.insert(), {**key, "body": scrubbed_bytes(encoded(body))})
                found = connection.execute(sa.select(_part).where(where)).one()
        return _stored_part(found)

    def parts(self, run_id: str) -> list[StoredPart]:
        """The parts of a run, in the order they were made."""
        query = sa.select(_part).where(_part.c.run_id == run_id).order_by(_part.c.id)
        with self._reading() as connection:
            return [_stored_part(row) for row in connection.execute(query)]

    def ensure_scorer(self, name: str, version: str, judge: str = "") -> int:
        """The id of a scorer and judge."""
        key = {"name": name, "version": version, "judge": judge}
        query = sa.select(_scorer.c.id).where(*(_scorer.c[n] == v for n, v in key.items()))
        with self._writing() as connection:
            if (found := connection.execute(query).scalar()) is None:
                connection.execute(_scorer.insert(), key)
                found = connection.execute(query).scalar_one()
        return int(found)

    # records

    def append(self, entries: Sequence[Entry]) -> None:
        """Store finished samples, all or none of them."""
        transcripts, texts, scores = [], [], []
        for entry in entries:
            place = {"part_id": entry.part_id, "position": entry.position}
            transcripts.append(place | _transcript_columns(entry))
            body = encoded(Text(entry.sample, entry.transcript))
            texts.append(place | {"body": scrubbed_bytes(body)})
            scores.append(place | _score_columns(entry.scorer_id, entry.score))
        replaced = [entry for entry in entries if entry.replaces]
        with self._writing() as connection:
            for entry in replaced:
                for table in (_score, _text, _transcript):
                    connection.execute(table.delete().where(_at(table, entry)))
            connection.execute(_transcript.insert(), transcripts)
            connection.execute(_text.insert(), texts)
            connection.execute(_score.insert(), scores)

    def rescore(self, part_id: int, scorer_id: int, scores: Sequence[tuple[int, Score]]) -> None:
        """Store scores by position, in place of that scorer's earlier ones."""
        with self._writing() as connection:
            for position, _ in scores:
                connection.execute(
                    _score.delete().where(
                        _score.c.part_id == part_id,
                        _score.c.position == position,
                        _score.c.scorer_id == scorer_id,
                    )
                )
            connection.execute(
                _score.insert(),
                [
                    {"part_id": part_id, "position": position, **_score_columns(scorer_id, score)}
                    for position, score in scores
                ],
            )

    def kept(self, part_id: int, scorer_id: int) -> dict[int, Kept]:
        """What is stored of a part, by position."""
        joined = _transcript.outerjoin(
            _score,
            sa.and_(
                _score.c.part_id == _transcript.c.part_id,
                _score.c.position == _transcript.c.position,
                _score.c.scorer_id == scorer_id,
            ),
        )
        query = (
            sa.select(
                _transcript.c.position,
                _transcript.c.ask_key,
                _transcript.c.absent,
                _score.c.scorer_id,
                _score.c.absent,
            )
            .select_from(joined)
            .where(_transcript.c.part_id == part_id)
        )
        with self._reading() as connection:
            return {
                position: Kept(bytes(key), absent, scored is not None, score_absent)
                for position, key, absent, scored, score_absent in connection.execute(query)
            }

    def rows(self, part: StoredPart, scorer_id: int) -> list[Row]:
        """The rows that metrics read, in the order of the benchmark; no text is read."""
        query = (
            sa.select(
                _transcript.c.sample_id,
                _transcript.c.repeat,
                _transcript.c.category,
                _transcript.c.cluster,
                _transcript.c.facets,
                _transcript.c.absent,
                _score.c.outcomes,
                _score.c.absent,
            )
            .select_from(
                _transcript.outerjoin(
                    _score,
                    sa.and_(
                        _score.c.part_id == _transcript.c.part_id,
                        _score.c.position == _transcript.c.position,
                        _score.c.scorer_id == scorer_id,
                    ),
                )
            )
            .where(_transcript.c.part_id == part.id)
            .order_by(_transcript.c.position)
        )
        cells = msgspec.json.Decoder(dict[str, str | int | float | bool | None])
        rows = []
        with self._reading() as connection:
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
                _transcript.c.position, _transcript.c.sample_id, _transcript.c.repeat, _text.c.body
            )
            .select_from(
                _transcript.join(
                    _text,
                    sa.and_(
                        _text.c.part_id == _transcript.c.part_id,
                        _text.c.position == _transcript.c.position,
                    ),
                )
            )
            .where(_transcript.c.part_id == part_id)
            .order_by(_transcript.c.position)
        )
        if sample_id is not None:
            query = query.where(_transcript.c.sample_id == sample_id)
        if positions is not None:
            query = query.where(_transcript.c.position.in_(list(positions)))
        decoder = msgspec.json.Decoder(Text)
        with self._reading() as connection:
            streamed = connection.execution_options(yield_per=500).execute(query)
            for position, sample, repeat, body in streamed:
                yield position, sample, repeat, decoder.decode(body)

    def scores(self, part_id: int, position: int) -> list[tuple[str, str, str, Score]]:
        """Scorer name, version, judge and score of one record."""
        query = (
            sa.select(_scorer, _score.c.absent, _score.c.outcomes, _score.c.why)
            .select_from(_score.join(_scorer, _scorer.c.id == _score.c.scorer_id))
            .where(_score.c.part_id == part_id, _score.c.position == position)
            .order_by(_scorer.c.id)
        )
        with self._reading() as connection:
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
        joined = _transcript.join(
            _text,
            sa.and_(
                _text.c.part_id == _transcript.c.part_id,
                _text.c.position == _transcript.c.position,
            ),
        )
        query = (
            sa.select(_transcript.c.ask_key, _text.c.body)
            .select_from(joined)
            .where(_transcript.c.ask_key.in_(list(ask_keys)), _transcript.c.absent.is_(None))
        )
        decoder = msgspec.json.Decoder(Text)
        with self._reading() as connection:
            return {
                bytes(key): decoder.decode(body).transcript
                for key, body in connection.execute(query)
            }

    def usage(self, run_id: str) -> Usage:
        """What a run's stored transcripts cost."""
        parts = sa.select(_part.c.id).where(_part.c.run_id == run_id).scalar_subquery()
        sums = [
            sa.func.sum(_transcript.c[name])
            for name in ("requests", "input_tokens", "output_tokens", "cost_usd", "seconds")
        ]
        with self._reading() as connection:
            found = connection.execute(sa.select(*sums).where(_transcript.c.part_id.in_(parts)))
            requests, input_tokens, output_tokens, cost, seconds = tuple(found.one())
        return Usage(int(requests or 0), input_tokens, output_tokens, cost, float(seconds or 0.0))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """WAL, and transactions that begin where we say: the driver's own leave DDL outside."""
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its lock at the beginning: waiting for it later would fail at once."""
    writes = connection.get_execution_options().get("safemark_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


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


def new_run_id() -> str:
    """A fresh id that sorts by time: ``YYYYMMDD-HHMMSS-xxxxxx``."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime()) + "-" + os.urandom(3).hex()


def _stored_run(row: Any) -> StoredRun:
    values = {name: getattr(row, name) for name in _RUN_COLUMNS}
    return StoredRun(**values, body=msgspec.json.decode(row.body, type=RunBody))


def _stored_part(row: Any) -> StoredPart:
    body = msgspec.json.decode(row.body, type=PartBody)
    return StoredPart(row.id, row.run_id, row.benchmark, row.version, row.asked, row.attack, body)


def _at(table: sa.Table, entry: Entry) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.part_id == entry.part_id, table.c.position == entry.position)


def _transcript_columns(entry: Entry) -> dict[str, Any]:
    attempts = entry.transcript.attempts
    usages = [attempt.reply.usage for attempt in attempts if attempt.reply is not None]
    sample = entry.sample
    absent = entry.transcript.absent
    return {
        "ask_key": entry.ask_key,
        "sample_id": _column_text(sample.id),
        "repeat": entry.repeat,
        "category": _column_text(sample.category),
        "cluster": _column_text(sample.cluster),
        "facets": encoded(sample.facets),
        "absent": absent.value if absent else None,
        "requests": len(attempts),
        "seconds": sum(attempt.seconds for attempt in attempts),
        "input_tokens": _tokens(usage.input_tokens for usage in usages),
        "output_tokens": _tokens(usage.output_tokens for usage in usages),
        "cost_usd": _known_sum(usage.cost_usd for usage in usages),
    }


def encoded(value: Any) -> bytes:
    """JSON of ``value``; half a character (a lone surrogate) is kept as its escape."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_whole_characters(msgspec.to_builtins(value)))


def _whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_whole_characters(k): _whole_characters(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_whole_characters(part) for part in value]
    return value


def _column_text(text: str | None) -> str | None:
    """Text as a column takes it: PostgreSQL has no NUL, and neither has half a character."""
    return None if text is None else _whole_characters(text).replace("\0", "\\0")


_MOST_TOKENS = 2**31 - 1


def _tokens(values: Iterable[int | None]) -> int | None:
    """Their sum, as far as an integer column holds it."""
    known = [value for value in values if value is not None]
    return min(sum(known), _MOST_TOKENS) if known else None


def _known_sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _score_columns(scorer_id: int, score: Score) -> dict[str, Any]:
    return {
        "scorer_id": scorer_id,
        "absent": score.absent.value if score.absent else None,
        "outcomes": scrubbed_bytes(encoded(score.outcomes)),
        "why": _column_text(scrubbed(score.why)),
    }
