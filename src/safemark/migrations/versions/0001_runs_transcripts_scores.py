"""Runs, their parts, transcripts, texts and scores."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _position() -> tuple["sa.Column[int]", ...]:
    return (
        sa.Column("part_id", sa.Integer, sa.ForeignKey("part.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    )


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("spec_key", sa.String(64), nullable=False, index=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("status_why", sa.Text, nullable=False, server_default=""),
        sa.Column("started", sa.String(40), nullable=False, index=True),
        sa.Column("finished", sa.String(40)),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "part",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run_id", sa.String(40), sa.ForeignKey("run.id"), nullable=False),
        sa.Column("benchmark", sa.String(120), nullable=False),
        sa.Column("version", sa.String(60), nullable=False),
        sa.Column("asked", sa.String(60), nullable=False),
        sa.Column("attack", sa.String(120), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("run_id", "benchmark", "version", "asked", "attack"),
    )
    op.create_table(
        "scorer",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("version", sa.String(60), nullable=False),
        sa.Column("judge", sa.String(200), nullable=False, server_default=""),
        sa.UniqueConstraint("name", "version", "judge"),
    )
    op.create_table(
        "transcript",
        *_position(),
        sa.Column("ask_key", sa.LargeBinary(16), nullable=False, index=True),
        sa.Column("sample_id", sa.Text, nullable=False),
        sa.Column("repeat", sa.Integer, nullable=False),
        sa.Column("category", sa.Text),
        sa.Column("cluster", sa.Text),
        sa.Column("facets", sa.LargeBinary, nullable=False),
        sa.Column("absent", sa.String(32)),
        sa.Column("requests", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("input_tokens", sa.Integer),
        sa.Column("output_tokens", sa.Integer),
        sa.Column("cost_usd", sa.Float),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "transcript_text",
        *_position(),
        # with rowids: else nearly every text takes a page of its own beside the tree
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "score",
        *_position(),
        sa.Column("scorer_id", sa.Integer, sa.ForeignKey("scorer.id"), primary_key=True),
        sa.Column("absent", sa.String(32)),
        sa.Column("outcomes", sa.LargeBinary, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("score", "transcript_text", "transcript", "scorer", "part", "run"):
        op.drop_table(table)
