"""The dev overlay on a real cluster, and staging and prod at a real API server: `make cluster && make cluster-test`.

Minutes long, so `make test` leaves it out. What talks to the platform runs as a pod in the cluster (`inside`), because that
is where its Services answer on every cluster; the tests here steer it by kubectl.
"""
