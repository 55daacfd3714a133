"""Anomalies: what the windows of a stream, and the refunds of a campaign, show that people hardly do; each is raised once."""
