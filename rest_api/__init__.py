"""The REST door, for clients of the older task API: twelve endpoints, a socket, and their description.

It translates: every handler makes one call of the services and accounts that the GraphQL door calls, too.
"""
