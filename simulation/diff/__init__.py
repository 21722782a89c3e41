"""Two runs side by side: which events belong together, and how far apart they are."""

from simulation.diff.compare import compare_runs
from simulation.diff.pairing import Pairing, pair

__all__ = ["Pairing", "compare_runs", "pair"]
