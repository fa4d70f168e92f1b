"""Attacks on the sandbox, one small file each, run through the real endpoint of a real service.

``corpus/`` holds the attacks; docs/how-to/add-an-attack.md says how they are written. ``python -m tests.attacks``
runs them and prints a table; ``test_corpus.py`` runs them in the test suite.
"""
