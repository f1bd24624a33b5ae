"""A client of OpenID Connect providers: discovery, authorization code flow with PKCE, ID tokens and logout tokens.

It knows no users, no database and no ASGI. PyJWT verifies signatures, and httpx2 sends the requests.
"""
