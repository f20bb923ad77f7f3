"""Names of runs: what a gate compares with is called `main`, not by its id."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_name",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("run_id", sa.String(40), sa.ForeignKey("run.id"), nullable=False, index=True),
        sa.Column("named", sa.String(40), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("run_name")
