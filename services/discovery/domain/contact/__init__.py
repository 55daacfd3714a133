"""A creator's mail address, what the creator consents to, and who read the address: stream `contact-<creator id>`."""
