"""What metrics decides and computes: pure, without I/O, clock, chance or floating point."""
