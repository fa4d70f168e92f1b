"""How posted code is kept apart: ``host`` supervises, launches and collects; ``inside`` runs with the code."""
