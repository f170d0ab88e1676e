"""Operators: parameters in, a job run, its Outcome out. They never see a response."""
