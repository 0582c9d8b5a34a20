export type { PostgresOptions, PostgresServer, ReplicaServer } from './postgres'
export { startPostgres, startReplica } from './postgres'
export type { RedisCluster, RedisOptions, RedisServer } from './redis'
export { startRedis, startRedisCluster } from './redis'
