"""How often a scorer errs on labelled answers, and the labels that people gave by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calibration",
        sa.Column("scorer_id", sa.Integer, sa.ForeignKey("scorer.id"), primary_key=True),
        sa.Column("source", sa.String(100), primary_key=True),
        sa.Column("made", sa.String(40), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "annotation",
        sa.Column("part_id", sa.Integer, sa.ForeignKey("part.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("question", sa.String(100), primary_key=True),
        sa.Column("annotator", sa.String(100), primary_key=True),
        sa.Column("drawn", sa.String(20), nullable=False),
        sa.Column("label", sa.String(100)),
        sa.Column("made", sa.String(40), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("annotation")
    op.drop_table("calibration")
