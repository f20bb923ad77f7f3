"""How often a sample was tried again, and how long it waited for limits."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transcript", sa.Column("retries", sa.Integer))
    op.add_column("transcript", sa.Column("waited_s", sa.Float))


def downgrade() -> None:
    op.drop_column("transcript", "waited_s")
    op.drop_column("transcript", "retries")
