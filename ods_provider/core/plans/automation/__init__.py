"""What editors of a portal do by hand, as plans: one module for each of its subjects."""
