"""`make soak`: random faults on real processes, Kafka and PostgreSQL under whole campaigns, and everything checked after.

`plan` draws the faults from a seed, `faults` does them, `cluster` brings back what ended, `load` keeps campaigns going,
`ending` checks, `run` puts it together.
"""
