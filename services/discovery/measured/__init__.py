"""Questions about what was measured of creators: SQL over the tables of the projection `measured`."""
