export type { PostgresOptions, PostgresServer, ReplicaServer } from './postgres'
export { startPostgres, startReplica } from './postgres'
export type { RedisCluster, RedisOptions, RedisSentinel, RedisServer } from './redis'
export { startRedis, startRedisCluster, startRedisSentinel } from './redis'
