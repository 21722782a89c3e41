"""Level of detail: of millions of events, the few thousand that a screen can show.

`LodIndex` is built once per trace; `tile` answers for one track, level and place; `Palette` colours it; `overview`
says what a minimap and the first view show.
"""

from simulation.lod.colours import Palette, Role
from simulation.lod.index import LodIndex
from simulation.lod.overview import busiest_tracks, dense_view, overview_level
from simulation.lod.tile import MAX_LEVEL, PIXELS, TileColumns, TileSource, tile

__all__ = [
    "MAX_LEVEL",
    "PIXELS",
    "LodIndex",
    "Palette",
    "Role",
    "TileColumns",
    "TileSource",
    "busiest_tracks",
    "dense_view",
    "overview_level",
    "tile",
]
