"""Triggers: waiting without a worker. Their arguments are JSON only, and they look connections up asynchronously."""
