"""deploy/ as it renders, held to rules that no schema knows: what refers to what, who reaches whom, what the code says."""
