"""Where the compiled way ends and the general one begins."""


class NotCompilable(Exception):
    """The operation holds something that no plan is made for; the text says what."""


class Fallback(Exception):
    """A request is for the general executor though its operation has a plan: it has the words for what is wrong.

    Raised before anything was changed.
    """
