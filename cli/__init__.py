"""The operator's and the newcomer's tool; reaches the services by contracts and HTTP."""
