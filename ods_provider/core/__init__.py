"""The portal's protocol as values and generators.

Rules of this room: no socket, no file, no clock that is not passed in, no scheduler, no ``requests``. What is here can
be tested without a network and runs the same in a worker thread and in an event loop.
"""
