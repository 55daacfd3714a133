"""Attribution over many orders at once: paths of touches in columns, and the seven models side by side."""
