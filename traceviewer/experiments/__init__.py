"""Predicted runs: replay as a job."""
