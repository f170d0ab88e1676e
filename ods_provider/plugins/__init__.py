"""How a scheduler, a checkpoint store, a destination or a listener joins in: pluggy hooks, loaded on first use.

Rules of this room: plugins use the public hooks only; ``airflow.py`` is plugin number one and has no private door.
"""
