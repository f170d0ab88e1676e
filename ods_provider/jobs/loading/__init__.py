"""What a load does, step by step."""
