"""What the local portal serves: each module describes one dataset and fills its table."""
