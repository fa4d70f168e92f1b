"""Alembic's environment for the table of renders."""
