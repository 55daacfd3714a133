"""metrics: what it brought. Engagement, tracking links, coupons, orders, and the return on what was spent."""
