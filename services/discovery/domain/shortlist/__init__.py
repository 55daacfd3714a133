"""A brand's named lists of creators, with a note about each."""
