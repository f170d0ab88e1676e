"""What a harvest does, step by step."""
