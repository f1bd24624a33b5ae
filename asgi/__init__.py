"""Shared code of the HTTP and WebSocket endpoints, independent of GraphQL and REST."""
