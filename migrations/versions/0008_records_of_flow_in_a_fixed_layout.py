"""Records of flow in a fixed layout

Revision 0008, after 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "flow_basis",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("statuses", sa.JSON(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_flow_basis")),
    )
    op.create_table(
        "flow_names",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_names")),
        sa.UniqueConstraint("kind", "name", name=op.f("uq_flow_names_kind_name")),
    )
    op.create_table(
        "flow_stale",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("issue", sa.Text(), nullable=False),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "issue", name=op.f("pk_flow_stale")),
    )
    op.create_table(
        "flow",
        sa.Column("row", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("issue", sa.Text(), nullable=False),
        sa.Column("source_name", sa.Integer(), nullable=False),
        sa.Column("team", sa.Integer(), nullable=False),
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("prefix", sa.Integer(), nullable=False),
        sa.Column("reporter", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("parent", sa.Integer(), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=True),
        sa.Column("holds_from", sa.BigInteger(), nullable=False),
        sa.Column("episodes", sa.LargeBinary(), nullable=False),
        sa.Column("spans", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source", "issue"],
            ["issues.source", "issues.id"],
            name=op.f("fk_flow_source_issue_issues"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_flow")),
        sa.UniqueConstraint("source", "issue", name=op.f("uq_flow_source_issue")),
    )
    with op.batch_alter_table("flow", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flow_holds_from"), ["holds_from"], unique=False)
        batch_op.create_index(batch_op.f("ix_flow_parent"), ["parent"], unique=False)
        batch_op.create_index(batch_op.f("ix_flow_prefix"), ["prefix"], unique=False)
        batch_op.create_index(batch_op.f("ix_flow_project"), ["project"], unique=False)
        batch_op.create_index("ix_flow_reporter_created", ["reporter", "created"], unique=False)
        batch_op.create_index(batch_op.f("ix_flow_team"), ["team"], unique=False)

    op.create_table(
        "closes",
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["row"], ["flow.row"], name=op.f("fk_closes_row_flow"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("row", "position", name=op.f("pk_closes")),
    )
    with op.batch_alter_table("closes", schema=None) as batch_op:
        batch_op.create_index("ix_closes_actor_at", ["actor", "at", "row"], unique=False)

    op.create_table(
        "cycle_times",
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("team", sa.Integer(), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("finished", sa.BigInteger(), nullable=False),
        sa.Column("cycle", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["row"], ["flow.row"], name=op.f("fk_cycle_times_row_flow"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("row", "number", name=op.f("pk_cycle_times")),
    )
    with op.batch_alter_table("cycle_times", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cycle_times_finished"), ["finished"], unique=False)
        batch_op.create_index("ix_cycle_times_team_finished", ["team", "finished", "type", "cycle"], unique=False)

    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.create_index("ix_links_kind", ["kind"], unique=False)


def downgrade() -> None:

    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.drop_index("ix_links_kind")

    with op.batch_alter_table("cycle_times", schema=None) as batch_op:
        batch_op.drop_index("ix_cycle_times_team_finished")
        batch_op.drop_index(batch_op.f("ix_cycle_times_finished"))

    op.drop_table("cycle_times")
    with op.batch_alter_table("closes", schema=None) as batch_op:
        batch_op.drop_index("ix_closes_actor_at")

    op.drop_table("closes")
    with op.batch_alter_table("flow", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flow_team"))
        batch_op.drop_index("ix_flow_reporter_created")
        batch_op.drop_index(batch_op.f("ix_flow_project"))
        batch_op.drop_index(batch_op.f("ix_flow_prefix"))
        batch_op.drop_index(batch_op.f("ix_flow_parent"))
        batch_op.drop_index(batch_op.f("ix_flow_holds_from"))

    op.drop_table("flow")
    op.drop_table("flow_stale")
    op.drop_table("flow_names")
    op.drop_table("flow_basis")
