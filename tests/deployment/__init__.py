"""The files in deploy/ and the compose files match the code, and the tools that read them accept them."""
