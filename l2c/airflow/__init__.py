"""Turns flows into Airflow DAGs; the only package that imports airflow."""
