"""Sign-in through real providers, which run in processes of their own; `make providers`."""
