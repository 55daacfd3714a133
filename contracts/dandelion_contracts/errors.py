"""Errors of a subscription; each is a SubscriptionError."""


class SubscriptionError(Exception):
    """Base of all errors of a subscription."""


class BadRecord(SubscriptionError):
    """A record of a topic breaks the contract: `rule` names the broken rule and the field."""

    def __init__(self, topic: str, partition: int, offset: int, rule: str) -> None:
        super().__init__(f"{topic}[{partition}]@{offset}: {rule}")
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.rule = rule


class PositionLost(SubscriptionError):
    """The topic does not keep the offset to continue at.

    After the topic was recreated and republished, call `positions.begin_again`. Otherwise delete the stored positions and choose
    a new `start`.
    """


class Unreachable(SubscriptionError):
    """The bus or the topic did not answer in time; a retry is safe."""


class BadPositions(SubscriptionError):
    """The stored positions cannot be read; no event was delivered."""
