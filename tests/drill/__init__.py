"""A restore drill: a backup with archived WAL, the loss of the server, and the recovery to a point in time."""
