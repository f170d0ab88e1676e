"""A portal on localhost that behaves like a real one, quirks and faults included, and its pytest fixture.

Rules of this room: nothing here imports the core, the transport or the jobs. The judge shares no code with the one it
judges.
"""
