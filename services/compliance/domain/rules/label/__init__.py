"""Rules about the label of paid content: missing, too vague, or where few see it."""
