"""One piece of work each, that a person would name, written once for every scheduler."""
