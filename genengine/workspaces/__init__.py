"""Tenants, people, roles, API keys and sign-in."""
