"""The weights of a match that the platform adopted, version by version."""
