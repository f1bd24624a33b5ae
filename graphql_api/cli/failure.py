"""What a command could not do, in one line for the person at the terminal.

CommandError
└── WrongSetting
"""


class CommandError(Exception):
    """Says what is wrong and what to do about it."""


class WrongSetting(CommandError):
    """A setting is missing or cannot be used; names it, and never says its value, which may be a secret."""
