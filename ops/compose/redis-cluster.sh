#!/bin/sh
# Joins the nodes into a cluster of three primaries with a replica each, unless they are one. REDIS_NODES has their
# names and ports; Redis wants addresses.
set -eu
addresses=
for node in $REDIS_NODES; do
  addresses="$addresses $(getent hosts "${node%:*}" | awk '{ print $1; exit }'):${node##*:}"
done
first=${addresses# }
first=${first%% *}
host=${first%:*}
port=${first##*:}
if redis-cli -h "$host" -p "$port" cluster info | grep -q 'cluster_state:ok'; then
  echo 'The cluster is whole.'
  exit 0
fi
# shellcheck disable=SC2086 # a list of addresses
redis-cli --cluster create $addresses --cluster-replicas 1 --cluster-yes
until redis-cli -h "$host" -p "$port" cluster info | grep -q 'cluster_state:ok'; do sleep 1; done
