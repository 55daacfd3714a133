"""Engagement, tracking links, coupons, orders, and what a campaign returned."""
