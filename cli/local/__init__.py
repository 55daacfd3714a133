"""A platform on this machine that keeps its data: its ports, its processes kept alive, what it leaves and how it goes."""
