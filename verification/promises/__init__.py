"""What README promises, and for each promise a short proof on a running stack."""
