"""Detectors of tampered CT: the reference models, one a file, and what they have in common."""
