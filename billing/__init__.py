"""Ledger, caps and cost reports."""
