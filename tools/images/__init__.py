"""`dandelion images` readies a Docker engine's images for docker compose, without a registry where none answers.

The official images are pulled where that works. Where it does not, images of the same tags are made from Debian packages
and Maven's jars: `base` (Python), `kafka`, `postgres`, `prometheus`. They understand the variables that docker-compose.yml
and the dev overlay set, no more, and the output says which is which. `engine` finds an engine or starts one of our own.
"""
