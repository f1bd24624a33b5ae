"""The Python peers: common tables and statements, and one server each for GraphQL and REST."""
