"""Roll up: events → 15-minute buckets → days and months, sessions and runs; always recomputed."""

from usage.rollups.stage import RollupResult, rebuild, roll_up

__all__ = ["RollupResult", "rebuild", "roll_up"]
