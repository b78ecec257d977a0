"""Test calls: one real, cheapest request to a model whose facts are not verified, under every gate a job passes."""
