"""The peers in Python: one set of tables and statements, two ways to serve them."""
