"""Projects, members, tokens: the one place that answers who may see what."""
