"""Processes are killed at random under a crowd of clients, and afterwards each render is accounted for."""
