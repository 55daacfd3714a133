#!/bin/bash
# What an administrator makes before the first migration: a database per service, its owner (who migrates), the roles that
# `migrate` grants rights to, and the user that the service logs in as. The owner may also act as the writer: as it the
# operator's commands come. Run once by the image, on an empty volume.
set -euo pipefail
for service in discovery campaigns ledger compliance metrics; do
  owner=$(<"${KEYS:-/run/keys}/$service.owner.password")
  app=$(<"${KEYS:-/run/keys}/$service.app.password")
  psql -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<SQL
CREATE ROLE ${service}_writer NOLOGIN;
CREATE ROLE ${service}_query NOLOGIN;
CREATE ROLE ${service}_owner LOGIN PASSWORD '${owner}' IN ROLE ${service}_writer;
CREATE ROLE ${service}_app LOGIN NOINHERIT PASSWORD '${app}' IN ROLE ${service}_writer, ${service}_query;
CREATE DATABASE ${service} OWNER ${service}_owner ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE ${service} FROM PUBLIC;
GRANT CONNECT ON DATABASE ${service} TO ${service}_owner, ${service}_app;
SQL
done
