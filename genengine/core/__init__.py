"""Ground of the product: money, clock, ids, events, audit port, process supervision; no business word."""
