"""The engine: reads traces, rebuilds dependencies, replays them. Knows no web framework."""

from simulation import kernel_cache

ENGINE_VERSION = "0.2.0"
"""Written into every stored result; raise it when a figure that users see can change."""

kernel_cache.use()
