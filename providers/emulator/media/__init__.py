"""Real, decodable, seeded media for simulated work: made fast, unmistakable, never black or frozen."""
