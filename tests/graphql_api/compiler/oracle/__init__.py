"""The general executor as the oracle of the compiled way: the same documents, and the same bytes."""
