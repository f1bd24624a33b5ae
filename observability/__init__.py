"""What an operator sees of a process: its log, its metrics, its traces."""
