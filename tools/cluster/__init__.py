"""A real one-node Kubernetes on this machine: `python -m tools.cluster up | down`, which `make cluster` runs.

Everything of it lives in one folder and in namespaces of its own (mounts, network, processes): the machine's firewall,
hosts file and mounts stay as they are, and the end of one process is the end of all. `binaries` builds what runs from the
Go module proxy, `pki` makes its certificates, `config` its files; `node` is the first process of the namespaces, `link`
joins them to the machine; `life` starts and ends it all. `use` is how tests and people reach it.
"""
