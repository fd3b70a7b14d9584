"""One process by itself: what a run asks of Lightning Fabric before it trains, without seconds of importing it."""

from __future__ import annotations


class Alone:
    """The first process and the only one."""

    world_size, global_rank, is_global_zero = 1, 0, True

    def barrier(self) -> None:
        """There is nobody to wait for."""
