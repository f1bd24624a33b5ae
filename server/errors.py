"""Errors that end a command, or the start of a server, with one line of text."""


class CommandError(Exception):
    """The message says what is wrong and what to do."""


class WrongSetting(CommandError):
    """A setting is missing or invalid. The message names it but never contains its value, which may be a secret."""
