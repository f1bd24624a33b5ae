"""Taskriver behind a real PgBouncer."""
