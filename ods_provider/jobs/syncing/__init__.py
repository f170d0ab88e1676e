"""How a realtime dataset is made equal to a file: values in one form, rows compared, changes sent."""
