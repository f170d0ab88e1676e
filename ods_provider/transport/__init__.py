"""``requests`` under one seam: it sends, streams, and translates every foreign error into ours.

Rules of this room: it never retries, never parses a body, and is the only place where a secret meets a request.
"""
