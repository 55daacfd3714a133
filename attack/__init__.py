"""Attacks on a running platform of this machine: `make attack`. tests/security/test_attack.py runs the same ones in small."""
