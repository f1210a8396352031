"""Alembic's scripts; `cloud.models.upgrading` runs them."""
