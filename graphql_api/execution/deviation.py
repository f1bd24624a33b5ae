"""Where the compiled way ends and the general one begins."""


class Unplannable(Exception):
    """The operation holds something that no plan is made for; the text says what."""


class Deviation(Exception):
    """A request is for the general executor though its operation has a plan: it has the words for what is wrong.

    Raised before anything was changed.
    """
