"""The promises of README, each with a short test on running servers."""
