"""The tables, as the migrations make them: numbers in columns apart from text."""

import sqlalchemy as sa

HEAD = "0005"
"""The newest migration; a test holds it equal to alembic's own answer."""

metadata = sa.MetaData()
RUN = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    *(sa.Column(n, sa.String) for n in ("spec_key", "status", "status_why", "started", "finished")),
    sa.Column("model", sa.String),
    sa.Column("identity", sa.String),
    sa.Column("body", sa.LargeBinary),
)
RUN_NAME = sa.Table(
    "run_name",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("run_id", sa.String),
    sa.Column("named", sa.String),
)
PART = sa.Table(
    "part",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    *(sa.Column(n, sa.String) for n in ("run_id", "benchmark", "version", "asked", "attack")),
    sa.Column("body", sa.LargeBinary),
)
SCORER = sa.Table(
    "scorer",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    *(sa.Column(n, sa.String) for n in ("name", "version", "judge")),
)
TRANSCRIPT = sa.Table(
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
    sa.Column("retries", sa.Integer),
    sa.Column("waited_s", sa.Float),
)
TEXT = sa.Table(
    "transcript_text",
    metadata,
    sa.Column("part_id", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("body", sa.LargeBinary),
)
SCORE = sa.Table(
    "score",
    metadata,
    sa.Column("part_id", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("scorer_id", sa.Integer, primary_key=True),
    sa.Column("absent", sa.String),
    sa.Column("outcomes", sa.LargeBinary),
    sa.Column("why", sa.String),
)
BATCH_JOB = sa.Table(
    "batch_job",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    *(sa.Column(n, sa.String) for n in ("run_id", "state", "remote_id", "created", "refused")),
    sa.Column("why", sa.String),
    sa.Column("request_keys", sa.LargeBinary),
)
BATCH_REPLY = sa.Table(
    "batch_reply",
    metadata,
    sa.Column("run_id", sa.String, primary_key=True),
    sa.Column("key", sa.LargeBinary, primary_key=True),
    sa.Column("absent", sa.String),
    sa.Column("tries", sa.Integer),
    sa.Column("body", sa.LargeBinary),
)
CALIBRATION = sa.Table(
    "calibration",
    metadata,
    sa.Column("scorer_id", sa.Integer, primary_key=True),
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("made", sa.String),
    sa.Column("body", sa.LargeBinary),
)
ANNOTATION = sa.Table(
    "annotation",
    metadata,
    sa.Column("part_id", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    *(sa.Column(n, sa.String, primary_key=True) for n in ("question", "annotator")),
    *(sa.Column(n, sa.String) for n in ("drawn", "label", "made")),
)
