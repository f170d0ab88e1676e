"""What ``dg`` finds of this package: YAML names the component ``ods_provider.dagster.OdsPortalComponent``."""

from contextlib import suppress

# A module of this kind that cannot be imported ends every command of `dg`, whoever's component it is about: under a
# Dagster that is too old for ours, the others are still there.
with suppress(ImportError):
    from ods_provider.schedulers.dagster.component import OdsPortalComponent

__all__ = ["OdsPortalComponent"]
