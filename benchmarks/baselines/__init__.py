"""What can be reached at all: the same work without any framework, written by hand."""
