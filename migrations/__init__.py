"""Alembic migrations of the store; run by `backlint db upgrade` and, for a new database, by the first command."""
