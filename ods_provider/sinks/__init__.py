"""Where bytes land: a filesystem and a path, and three ends (commit, discard, and what was kept for a resume).

Rules of this room: fsspec only; a file stands under its final name whole or not at all.
"""
