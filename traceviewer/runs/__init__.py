"""Runs and traces: what is known of them, where their files lie, and how a file becomes a run."""
