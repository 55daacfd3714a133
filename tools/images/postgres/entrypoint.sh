#!/bin/bash
# POSTGRES_PASSWORD(_FILE), POSTGRES_USER, POSTGRES_DB, POSTGRES_HOST_AUTH_METHOD and the init folder, as in the official image.
set -euo pipefail
if [ "${1:-}" = postgres ]; then shift; fi
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown postgres:postgres "$PGDATA" /var/run/postgresql
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
user=${POSTGRES_USER:-postgres}
mkdir -p "$PGDATA"
chmod 700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  password=${POSTGRES_PASSWORD:-}
  [ -z "${POSTGRES_PASSWORD_FILE:-}" ] || password=$(<"$POSTGRES_PASSWORD_FILE")
  method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  [ -n "$password" ] || [ "$method" = trust ] || { echo "POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE is missing" >&2; exit 1; }
  initdb -D "$PGDATA" --username="$user" --encoding=UTF8 --locale=C.UTF-8 --auth-local=trust --auth-host=scram-sha-256 \
    --pwfile=<(printf '%s\n' "${password:-none}") >/dev/null
  echo "host all all all $method" >> "$PGDATA/pg_hba.conf"
  # first on the socket only, so that nobody meets a half-made server
  pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w -t 120 start >/dev/null
  [ -z "${POSTGRES_DB:-}" ] || createdb -U "$user" "$POSTGRES_DB"
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      *.sh) POSTGRES_USER=$user bash "$script" ;;
      *.sql) psql -v ON_ERROR_STOP=1 -U "$user" -d "${POSTGRES_DB:-postgres}" -f "$script" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
fi
exec postgres -D "$PGDATA" -c "listen_addresses=*" "$@"
