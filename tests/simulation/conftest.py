"""How the engine's tests run."""

from hypothesis import settings

# The first example of a test may compile a Numba kernel: seconds, once.
settings.register_profile("engine", deadline=None)
settings.load_profile("engine")
