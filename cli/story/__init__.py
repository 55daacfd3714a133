"""The story of one spring: three brands, their creators, and every step from brief to payout.

It reaches the platform as any stranger would: HTTP commands, gRPC queries and the subscriber helper, nothing else.
"""
