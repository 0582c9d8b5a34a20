import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { HoldfastError } from '@/server/errors'

/** What is known for good of the servers: which cluster they are, how far it got, and who was written to. */
export interface Known {
  systemIdentifier: string | null
  timeline: number | null
  /** host:port of the server that took the last writes. */
  primary: string | null
}

const FORMAT = z.object({
  clusters: z.array(
    z.object({
      systemIdentifier: z.string(),
      timeline: z.number().int().positive(),
      primary: z.string(),
      nodes: z.array(z.string()),
    }),
  ),
})

type Cluster = z.infer<typeof FORMAT>['clusters'][number]

/**
 * Keeps the highest timeline outside the store, so that after a restart an old primary is known for one, even if
 * nobody else can be reached. One file for all clusters that this Holdfast writes to.
 */
export class Fence {
  readonly file: string | null
  readonly #nodes: readonly string[]

  /**
   * @param file null: nothing outlives this process.
   * @param nodes host:port of the configured servers, the first one as DB_HOST names it.
   */
  constructor(file: string | null, nodes: readonly string[]) {
    this.file = file
    this.#nodes = nodes
  }

  /** What was kept of these servers. Throws when the file is there but can't be read: it might forbid writes. */
  read(): Known {
    const clusters = this.#clusters()
    const of = (node: string) => clusters.find(({ nodes }) => nodes.includes(node))
    const found = this.#nodes.map(of).find(Boolean)
    if (!found) return { systemIdentifier: null, timeline: null, primary: null }
    const { systemIdentifier, timeline, primary } = found
    return { systemIdentifier, timeline, primary }
  }

  /** The highest timeline that was kept of a cluster, however its servers were called then. */
  timelineOf(systemIdentifier: string): number | null {
    return this.#clusters().find((cluster) => cluster.systemIdentifier === systemIdentifier)?.timeline ?? null
  }

  /**
   * Keeps that `primary` is about to be written to on `timeline`. It is on the disk when this returns. Answers the
   * highest timeline kept, which another process may have raised meanwhile; throws when the disk refuses.
   */
  keep(systemIdentifier: string, timeline: number, primary: string): number {
    if (this.file === null) return timeline
    const before = this.#clusters()
    const same = before.find((cluster) => cluster.systemIdentifier === systemIdentifier)
    if (same && same.timeline > timeline) return same.timeline
    const mine: Cluster = { systemIdentifier, timeline, primary, nodes: [...this.#nodes] }
    const others = before
      .filter((cluster) => cluster !== same)
      .map((cluster) => ({ ...cluster, nodes: cluster.nodes.filter((node) => !this.#nodes.includes(node)) }))
    writeSafely(this.file, `${JSON.stringify({ clusters: [mine, ...others] }, null, 2)}\n`)
    return timeline
  }

  #clusters(): Cluster[] {
    if (this.file === null) return []
    try {
      return FORMAT.parse(JSON.parse(readFileSync(/* turbopackIgnore: true */ this.file, 'utf8'))).clusters
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') return []
      throw new HoldfastError('DATABASE_UNAVAILABLE', {
        message: `The file ${this.file}, which tells an old primary from the current one, cannot be read.`,
        remedy: 'Restore it from a backup, or remove it when DB_HOST names the current primary.',
      })
    }
  }
}

function writeSafely(file: string, content: string): void {
  const fresh = `${file}.${process.pid}`
  const handle = openSync(/* turbopackIgnore: true */ fresh, 'w', 0o600)
  try {
    writeSync(handle, content)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(fresh, file)
  const folder = openSync(/* turbopackIgnore: true */ dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
