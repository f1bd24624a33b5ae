"""What browsers are shown: built pages and a plain one, all of them from our own files."""
