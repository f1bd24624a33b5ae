"""From outside: a client that records what it sees, and a judge of such histories.

`history` is what was seen, `judge` says what is wrong with it, `client` sees it. The judge is pure, knows the rules of
`domain` and nothing of how the stream is made: what it finds was not overlooked for the same reason twice.
"""
