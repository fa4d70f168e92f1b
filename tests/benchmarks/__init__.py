"""The benchmark programs: their statistics, and that they run."""
