"""Tests of the executor that renders on Modal."""
