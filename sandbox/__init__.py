"""Stand-ins for the world outside: a payment provider, a social platform, and hosts of brands, over HTTP."""
