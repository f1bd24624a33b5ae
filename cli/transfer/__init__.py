"""Tasks in and out, as JSON Lines or CSV."""
