"""Tokens that are kept for whoever types commands."""
