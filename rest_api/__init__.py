"""The REST API, for clients of the older task API: HTTP endpoints, a WebSocket, and their OpenAPI description.

Each handler makes one call of the same services and accounts that the GraphQL API uses.
"""
