"""DAGs to copy. Each runs in the test suite or in `make demo`."""
