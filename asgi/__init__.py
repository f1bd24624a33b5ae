"""What every door over HTTP and sockets has in common, whatever is spoken there."""
