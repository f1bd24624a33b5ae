"""Tests of the client of OpenID Connect providers."""
