"""The errors that users catch, under a short name. The tree itself is drawn in ``ods_provider.core.errors``."""

from ods_provider.core import errors as _tree
from ods_provider.core.errors import *  # noqa: F403  the list is core.errors.__all__, checked by a test

__all__ = _tree.__all__
