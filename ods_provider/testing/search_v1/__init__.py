"""Search API v1.0 over a store, in its own words and with its own shapes.

Source: Search API v1.0 reference (dataset search and lookup, record search, lookup, analysis, download, clusters).
"""

from ods_provider.testing.search_v1.handlers import SearchV1

__all__ = ["SearchV1"]
