"""Faults under load on a cluster of mini-brokers, and a checker of what clients saw meanwhile."""
