"""The sessions that `taskriver token` stores, and the account that uses them."""
