"""The whole suite, held against the smallest adapter there is. Twenty seconds, most of them waits for a quota."""

from ods_provider.conformance.reference import Reference
from ods_provider.conformance.suite import AdapterSuite


class TestReference(Reference, AdapterSuite):
    """The smallest adapter keeps the contract."""
