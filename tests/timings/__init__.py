"""How long things take that should be quick: `make timings` prints figures, and no figure makes a test fail."""
