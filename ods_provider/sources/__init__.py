"""Files that are pushed or published, read as records."""
