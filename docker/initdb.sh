#!/bin/sh
# Runs once, when PostgreSQL's volume is empty: the hub's state gets a database and a user of its own, apart from Airflow's.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$L2C_DATABASE_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE l2c LOGIN PASSWORD :'password';
CREATE DATABASE l2c OWNER l2c;
SQL
