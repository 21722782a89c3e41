"""Scenarios: typed, ordered lists of changes to a task graph, one module per kind of change. To come."""
