"""The contract of all engines, on a real PostgreSQL."""

from engine_contract import EngineContract


class TestPostgresql(EngineContract):
    """With the fixture ``database`` of this room."""
