"""The Airflow DAGs that look after the hub itself: `hub.redrive` and `hub.purge`. Their times are set here."""

from l2c.airflow.factory import maintenance_dags

globals().update(maintenance_dags(redrive="15 */4 * * *", purge="45 3 * * *", keep_days=90))
