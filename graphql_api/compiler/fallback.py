"""Errors with which the compiled executor leaves an operation or a request to the general one."""


class NotCompilable(Exception):
    """The operation contains something for which there is no plan; the message says what."""


class Fallback(Exception):
    """A request is invalid although its operation has a plan. The general executor reports what is wrong.

    Raised before anything was changed.
    """
