"""Reads: which rows, and what of each, as plain data; SQLAlchemy writes each one down once, and asyncpg runs it."""
