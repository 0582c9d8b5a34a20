#!/bin/sh
# Copies the primary at the first start, then follows it.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  until pg_basebackup --pgdata="$PGDATA" --host="$PRIMARY_HOST" --port="$PRIMARY_PORT" --username="$PRIMARY_USER" \
    --wal-method=stream --checkpoint=fast --write-recovery-conf; do
    echo 'The primary does not give a copy yet.' >&2
    find "$PGDATA" -mindepth 1 -delete
    sleep 1
  done
  chmod 700 "$PGDATA"
fi
exec postgres "$@"
