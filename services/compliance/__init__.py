"""Reviews of content by dated rule packs, disclosure labels, and looks at what is live."""
