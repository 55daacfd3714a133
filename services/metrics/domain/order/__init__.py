"""Orders of a brand's store, their refunds and amendments: an order counts once, a refund never exceeds what is left."""
