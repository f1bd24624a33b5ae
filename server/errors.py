"""Errors that end a command or the start of a server with one line."""


class CommandError(Exception):
    """Says what is wrong and what to do about it."""


class WrongSetting(CommandError):
    """A setting is missing or cannot be used; names it, and never says its value, which may be a secret."""
