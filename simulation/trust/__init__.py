"""How far a run's replay can be trusted: what the model gets right without help, and where it does not."""

from simulation.trust.assessment import assess

__all__ = ["assess"]
