"""Comments and what they are anchored to."""
