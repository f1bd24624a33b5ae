"""Whether everything that a server needs is as it must be."""
