#!/bin/sh
# Run once by the image, when it has made the database: lets the replica stream with the password.
set -eu
echo 'host replication all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
