"""What is tried on inputs by the thousand: properties that hold for all of them, and answers that are changed."""
