"""Finding anomalies as they come: windows of the engagement topic, and a look at refunds; both report to metrics itself."""
