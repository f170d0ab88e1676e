"""Conversations with a portal, each a generator that yields ``Request`` and receives ``Response``."""
