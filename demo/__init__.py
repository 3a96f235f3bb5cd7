"""Starts the simulated systems and a real Airflow, and plays a story from first load to a repaired dead letter."""
