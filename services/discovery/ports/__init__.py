"""The world outside as discovery needs it: profiles on social platforms, and a mail server."""
