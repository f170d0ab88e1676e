"""What holds for every test."""

from hypothesis import settings

# A slow example on a busy machine is no failure; how many examples there are is each test's own affair.
settings.register_profile("ods", deadline=None)
settings.load_profile("ods")
