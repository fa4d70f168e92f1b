"""Tests of :mod:`manimcast.webhooks`."""
