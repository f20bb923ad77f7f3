"""What was handed in to a provider for later, and what came back: kept beside the run.

A job is kept before it is handed in, so that a killed process leaves a trace to look for; an
answer is kept until its run is complete, when the record holds it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from safemark.secrets import masked, scrubbed_bytes
from safemark.store.columns import column_text, encoded
from safemark.store.database import Database
from safemark.store.nouns import now
from safemark.store.tables import BATCH_JOB, BATCH_REPLY
from safemark.types import Reason, Reply

KEY_BYTES = 16
State = Literal["submitting", "submitted", "found", "collected", "lost", "failed", "cancelled"]
"""``found``: looks like one that was handed in; its answers will tell."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came back for one request: a reply, or the reason why none, after so many ``tries``.

    ``is_direct``: it was asked by itself, at the full price.
    """

    reply: Reply | None = None
    absent: Reason | None = None
    why: str = ""
    tries: int = 1
    is_direct: bool = False


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One batch of a run; ``keys`` are its requests, ``refused`` the settings it leaves out.

    ``remote_id`` None: it was about to be handed in, and may have been.
    """

    id: str
    run_id: str
    state: State
    remote_id: str | None
    created: str
    refused: tuple[str, ...]
    why: str
    keys: tuple[bytes, ...]

    @property
    def is_open(self) -> bool:
        """Whether something may yet come back."""
        return self.state in ("submitting", "submitted", "found")


class Batches:
    """The batches of all runs in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_job(self, job: BatchJob) -> None:
        """Keep a job before it is handed in."""
        values = {
            "id": job.id,
            "run_id": job.run_id,
            "state": job.state,
            "remote_id": job.remote_id,
            "created": job.created or now(),
            "refused": ",".join(job.refused),
            "why": job.why,
            "request_keys": b"".join(job.keys),
        }
        with self._database.writing() as connection:
            connection.execute(BATCH_JOB.insert(), values)

    def set_job(
        self, job_id: str, state: State, remote_id: str | None = None, why: str = ""
    ) -> None:
        """Say where a job stands; a ``remote_id`` that is not given stays."""
        values: dict[str, Any] = {"state": state, "why": column_text(masked(why))}
        if remote_id is not None:
            values["remote_id"] = remote_id
        with self._database.writing() as connection:
            connection.execute(BATCH_JOB.update().where(BATCH_JOB.c.id == job_id).values(values))

    def jobs(self, run_id: str) -> list[BatchJob]:
        """The batches of a run, oldest first."""
        query = (
            sa.select(BATCH_JOB)
            .where(BATCH_JOB.c.run_id == run_id)
            .order_by(BATCH_JOB.c.created, BATCH_JOB.c.id)
        )
        with self._database.reading() as connection:
            return [_job(row) for row in connection.execute(query)]

    def remote_ids(self) -> frozenset[str]:
        """What the provider calls the batches that are known here, of any run."""
        query = sa.select(BATCH_JOB.c.remote_id).where(BATCH_JOB.c.remote_id.is_not(None))
        with self._database.reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def add_lines(self, run_id: str, lines: Mapping[bytes, Line]) -> None:
        """Keep what came back for some hundreds of requests, in place of earlier tries."""
        rows = [
            {
                "run_id": run_id,
                "key": key,
                "absent": line.absent,
                "tries": line.tries,
                "body": scrubbed_bytes(encoded(line)),
            }
            for key, line in lines.items()
        ]
        if not rows:
            return
        earlier = sa.and_(BATCH_REPLY.c.run_id == run_id, BATCH_REPLY.c.key.in_(list(lines)))
        with self._database.writing() as connection:
            connection.execute(BATCH_REPLY.delete().where(earlier))
            connection.execute(BATCH_REPLY.insert(), rows)

    def line(self, run_id: str, key: bytes) -> Line | None:
        """What came back for one request."""
        query = sa.select(BATCH_REPLY.c.body).where(
            BATCH_REPLY.c.run_id == run_id, BATCH_REPLY.c.key == key
        )
        with self._database.reading() as connection:
            body = connection.execute(query).scalar()
        return None if body is None else msgspec.json.decode(body, type=Line)

    def tries(self, run_id: str) -> dict[bytes, tuple[Reason | None, int]]:
        """For each request that came back: why it has no reply, None where it has, and tries."""
        query = sa.select(BATCH_REPLY.c.key, BATCH_REPLY.c.absent, BATCH_REPLY.c.tries).where(
            BATCH_REPLY.c.run_id == run_id
        )
        with self._database.reading() as connection:
            return {
                bytes(key): (Reason(absent) if absent else None, tries)
                for key, absent, tries in connection.execute(query)
            }

    def forget_lines(self, run_id: str) -> None:
        """Let go of what came back: the run's records hold it."""
        with self._database.writing() as connection:
            connection.execute(BATCH_REPLY.delete().where(BATCH_REPLY.c.run_id == run_id))


def _job(row: Any) -> BatchJob:
    keys = bytes(row.request_keys)
    return BatchJob(
        id=row.id,
        run_id=row.run_id,
        state=row.state,
        remote_id=row.remote_id,
        created=row.created,
        refused=tuple(filter(None, row.refused.split(","))),
        why=row.why,
        keys=tuple(keys[i : i + KEY_BYTES] for i in range(0, len(keys), KEY_BYTES)),
    )
