"""A whole portal: what of it is mirrored, what changed, what the quota lets through, and what came of it."""
