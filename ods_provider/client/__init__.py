"""A portal in Python words, for users of the hook, for scripts without a scheduler, and for jobs."""

from ods_provider.client.portal import OdsClient

__all__ = ["OdsClient"]
