"""Tracking links, and what comes over them."""
