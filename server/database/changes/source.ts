import type { Inspector } from '../inspect/types'
import type { PostgresCluster } from '../routing/cluster'

/** The database that is advised on and changed, as far as that needs it. */
export type Source = SqliteSource | PostgresSource

interface SqliteSource {
  dialect: 'sqlite'
  file: string
  inspect: Pick<Inspector, 'statements' | 'tables'>
}

export interface PostgresSource {
  dialect: 'postgresql'
  client: Pick<PostgresCluster, 'direct' | 'mode'>
  inspect: Pick<Inspector, 'statements' | 'tables'>
}
