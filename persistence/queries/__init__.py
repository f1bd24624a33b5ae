"""Read queries as plain data. SQLAlchemy compiles each statement once, and asyncpg executes it."""
