"""A guardian's consent to the work of who may be a minor, on the creator's own stream; without it no new work is agreed."""
