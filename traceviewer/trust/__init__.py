"""How far can I trust this: the assessment of a run, made by a job and kept."""
