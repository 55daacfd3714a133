"""Tools for development: generators, checks and the servers that tests and demos bring up."""
