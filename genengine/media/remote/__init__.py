"""The engine on another machine: the same compile behind an authenticated HTTP service, and which engine renders when.

Plain Python. ``server`` serves, ``client`` asks, ``choice`` keeps an engine policy.
"""
