"""Sensors: look once, then wait without a worker."""
