"""Files of a dataset: listed, fetched, and whose they are."""
