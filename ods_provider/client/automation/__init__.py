"""``client.automation``: what editors of a portal do by hand, in Python words. Source: Automation API v1.0."""

from ods_provider.client.automation.portal import AutomationClient
from ods_provider.core.plans.automation.harvesters import Harvest, HarvestLook
from ods_provider.core.plans.automation.publications import Look, Publication
from ods_provider.core.plans.automation.status import Status

__all__ = ["AutomationClient", "Harvest", "HarvestLook", "Look", "Publication", "Status"]
