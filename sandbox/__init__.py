"""Stand-ins for the world outside: a payment provider and a social platform, over HTTP."""
