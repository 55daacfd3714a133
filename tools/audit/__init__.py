"""`make audit`: which locked packages have a known vulnerability, by advisories that are read as data and never run."""
