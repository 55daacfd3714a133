"""Posts of creators that belong to no collaboration."""
