"""Other servers that do the same work on the same rows, each set up as in its documentation."""
