"""Simulated systems for development, tests and the demo: each one a process of its own on loopback."""
