"""Verifies the event stream from outside: a client records a history, and a check finds what is wrong with it.

`client` records a `history`, and `history_check` checks it. The check is a pure function. It uses the rules of `domain`
but no code of the stream, so that a bug in the stream is not repeated in the check.
"""
