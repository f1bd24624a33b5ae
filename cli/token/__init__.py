"""`taskriver token`, and the sessions that it stores."""
