"""Stands in for an organisation's identity provider (OpenID Connect): people choose who they are, without a password."""
