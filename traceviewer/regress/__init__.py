"""Series of runs, baselines, and the detection of regressions."""
