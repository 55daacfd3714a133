"""Pure decisions about creators: who they are, what they charge, whom they reach."""
