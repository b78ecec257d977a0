"""Who can do the work: adapters, registry, credentials, health, emulator."""
