"""What people say of findings: waivers, commands, feedback, ratchets

Revision 0005, after 0004.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COMMANDS = sa.text("is_command")


def upgrade() -> None:
    op.create_table(
        "commands",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("issue", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "issue", "comment", "position", name=op.f("pk_commands")),
    )
    op.create_table(
        "demotions",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Float(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("source", "project", "rule", name=op.f("pk_demotions")),
    )
    op.create_table(
        "feedback",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("opening", sa.Integer(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("issue", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("is_weak", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "opening", "via", "actor", name=op.f("pk_feedback")),
    )
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_feedback_rule"), ["rule"], unique=False)

    op.create_table(
        "former_issues",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("issue", sa.Text(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("source", "issue", "replaced_at", name=op.f("pk_former_issues")),
    )
    with op.batch_alter_table("former_issues", schema=None) as batch_op:
        batch_op.create_index("ix_former_issues_replaced_at", ["replaced_at"], unique=False)

    op.create_table(
        "ratchets",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=False),
        sa.Column("rules_version", sa.Text(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "project", "rule", name=op.f("pk_ratchets")),
    )
    op.create_table(
        "recall_samples",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("issue", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("judged_by", sa.Text(), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("month", "rule", "source", "issue", name=op.f("pk_recall_samples")),
    )
    op.create_table(
        "waivers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waivers")),
    )
    with op.batch_alter_table("comments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("may_write", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("thumbs_up", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("thumbs_down", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("is_command", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.create_index(
            "ix_comments_is_command",
            ["source", "issue"],
            unique=False,
            sqlite_where=sa.text("is_command"),
            postgresql_where=sa.text("is_command"),
        )

    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("waiver", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("fixed_by", sa.Text(), nullable=True))

    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.add_column(sa.Column("watched_since", sa.DateTime(timezone=True), nullable=True))

    _watched_since_their_first_pull()


def _watched_since_their_first_pull() -> None:
    sources = sa.table("sources", sa.column("name", sa.Text), sa.column("watched_since", sa.DateTime(timezone=True)))
    runs = sa.table(
        "runs",
        sa.column("kind", sa.Text),
        sa.column("started_at", sa.DateTime(timezone=True)),
        sa.column("facts", sa.JSON),
    )
    connection = op.get_bind()
    pulls = sa.select(runs.c.started_at, runs.c.facts).where(runs.c.kind == "pull").order_by(runs.c.started_at)
    first: dict[str, datetime] = {}
    for row in connection.execute(pulls):
        for pulled in (row.facts or {}).get("sources", ()):
            first.setdefault(pulled["source"], row.started_at)
    for name, at in first.items():
        connection.execute(sa.update(sources).where(sources.c.name == name).values(watched_since=at))


def downgrade() -> None:
    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.drop_column("watched_since")

    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.drop_column("fixed_by")
        batch_op.drop_column("waiver")

    with op.batch_alter_table("comments", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_comments_is_command", sqlite_where=sa.text("is_command"), postgresql_where=sa.text("is_command")
        )
        batch_op.drop_column("is_command")
        batch_op.drop_column("thumbs_down")
        batch_op.drop_column("thumbs_up")
        batch_op.drop_column("may_write")

    op.drop_table("waivers")
    op.drop_table("recall_samples")
    op.drop_table("ratchets")
    with op.batch_alter_table("former_issues", schema=None) as batch_op:
        batch_op.drop_index("ix_former_issues_replaced_at")

    op.drop_table("former_issues")
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_feedback_rule"))

    op.drop_table("feedback")
    op.drop_table("demotions")
    op.drop_table("commands")
