#!/bin/sh
# One node of the cluster: a cache, so nothing is kept on disk. The password stands in no command line.
set -eu
umask 077
configuration=$(mktemp)
cat >"$configuration" <<END
port ${REDIS_PORT:-6379}
requirepass $REDIS_PASSWORD
masterauth $REDIS_PASSWORD
cluster-enabled yes
cluster-node-timeout 5000
save ""
maxmemory 256mb
maxmemory-policy allkeys-lru
END
exec redis-server "$configuration" "$@"
