"""Questions to metrics, answered from the read models."""
