"""Lower bounds: the same work without a framework, written by hand."""
