"""The HTML pages of the server, built from files of this package only."""
