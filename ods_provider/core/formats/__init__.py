"""Export formats: how many rows a file holds, and whether it is whole, told from its bytes as they pass."""
