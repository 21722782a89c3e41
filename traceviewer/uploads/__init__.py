"""Uploads: files on their way in. Knows sizes, hashes and limits; knows nothing of runs."""
