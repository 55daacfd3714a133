"""Queries over HTTP: the RPCs of the query services as JSON, made from their descriptors and `google.api.http` rules."""
