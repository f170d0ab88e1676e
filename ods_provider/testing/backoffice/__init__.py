"""What stands behind the Automation API: datasets as they are prepared, their publications, harvesters, people.

Rules of this room: it knows nothing of HTTP. What it publishes goes into the store, which all other APIs serve.
"""
