"""Passes of the role `stream` over what read models hold, set-wise, at an interval: what a pass finds is sent as commands."""
