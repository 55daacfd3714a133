"""Sites: the hosts that a brand has proven to be its own, where its tracking links may lead."""
