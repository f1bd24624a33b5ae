"""Errors that prevent the start of a server. A command prints the message as one line."""


class StartError(Exception):
    """The message says what is wrong and what to do."""


class WrongSetting(StartError):
    """A setting is missing or invalid. The message names it but never contains its value, which may be a secret."""
