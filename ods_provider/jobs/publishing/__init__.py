"""From a file to a live dataset, in steps that survive their process: what is published, where to, and the verdict."""
