"""The sessions that `taskriver login` stores, and the account that uses them."""
