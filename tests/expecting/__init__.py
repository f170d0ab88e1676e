"""What is expected of each recorded answer."""
