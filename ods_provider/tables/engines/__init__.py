"""The engines: what a database is told, one file for each kind of database."""
