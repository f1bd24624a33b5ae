"""Measurements of operations that should be fast: `make timings` prints figures, and none makes a test fail."""
