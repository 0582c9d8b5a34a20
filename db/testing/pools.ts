import { Pool, type PoolConfig } from 'pg'

/**
 * node-postgres' pool for tests. `pool.end()` resolves before the server has closed every connection: one that
 * stops meanwhile says so on each of them, which would end the process if nobody listened.
 */
export function openPool(config: PoolConfig): Pool {
  const pool = new Pool(config)
  pool.on('error', () => {})
  return pool
}
