"""Two runs on one axis."""
