from shell import ods, start, surroundings

__all__ = ["ods", "start", "surroundings"]
