"""`taskriver doctor`: checks everything that a server needs."""
