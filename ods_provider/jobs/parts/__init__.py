"""A download in parts: cut, fetched by many streams or many workers, put together."""
