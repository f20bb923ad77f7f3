"""Batches: what was handed in to a provider for later, and what came back of it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batch_job",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("run_id", sa.String(40), sa.ForeignKey("run.id"), nullable=False, index=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("remote_id", sa.String(200)),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("refused", sa.String(200), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("request_keys", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "batch_reply",
        sa.Column("run_id", sa.String(40), sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("key", sa.LargeBinary(16), primary_key=True),
        sa.Column("absent", sa.String(40)),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("batch_reply")
    op.drop_table("batch_job")
