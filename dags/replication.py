"""The Airflow DAGs of every flow in config/flows: capture, sweep, watch and distribute.

Nothing to edit here: a flow is a YAML file.
"""

from l2c.airflow.factory import replication_dags

globals().update(replication_dags())
