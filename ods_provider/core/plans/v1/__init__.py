"""Conversations in Search API v1.0, the older API, which takes GET and POST and filters by ``q`` instead of ODSQL."""
