"""Client package of Dandelion: subscribe to the services' events, and query their read models.

`dandelion.<service>.v1` are the generated messages and stubs; `channel.connect` opens a gRPC channel,
`subscriber.subscribe` iterates over a service's events, `events` knows the type of each, `words` names enum values.
"""
