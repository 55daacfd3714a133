"""What can go wrong with a subscription; every error is a SubscriptionError."""


class SubscriptionError(Exception):
    """Base of all errors of a subscription."""


class BadRecord(SubscriptionError):
    """A record of a topic is not what the contract says: `rule` tells what is broken, at which field."""

    def __init__(self, topic: str, partition: int, offset: int, rule: str) -> None:
        super().__init__(f"{topic}[{partition}]@{offset}: {rule}")
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.rule = rule


class PositionLost(SubscriptionError):
    """The place to go on from is not kept (any more): choose a new `start` and forget the stored positions."""


class Unreachable(SubscriptionError):
    """The bus or the topic did not answer in time; trying again is safe."""


class BadPositions(SubscriptionError):
    """The stored positions cannot be read; nothing was delivered."""
