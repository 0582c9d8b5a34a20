export type { PostgresOptions, PostgresServer, ReplicaServer } from './postgres'
export { findPostgresBinaries, startPostgres, startReplica } from './postgres'
export type { RedisCluster, RedisOptions, RedisSentinel, RedisServer } from './redis'
export { findRedisServer, startRedis, startRedisCluster, startRedisSentinel } from './redis'
