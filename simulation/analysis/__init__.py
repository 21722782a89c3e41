"""Figures about a run; each is computed in one place, here."""
