"""Thin faces over the jobs, one folder for each scheduler. None of them is imported by anything else of ours.

Rules of this room: a face knows its scheduler and the jobs, never another face.
"""
