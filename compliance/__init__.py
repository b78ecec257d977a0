"""Audit trail, rights, policies and retention."""
