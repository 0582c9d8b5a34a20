import { openPostgresDatabase, Position, within } from '@/server/database'
import type { Log } from '@/server/log'
import { paced } from '../pace'
import type { Place } from './pair'

type Database = ReturnType<typeof openPostgresDatabase>

/** What one browser session knows: what it wrote, and how far the log was then. */
interface Session {
  id: number
  /** The highest number that was acknowledged. */
  acknowledged: number
  next: number
  /** As the cookie carries it. */
  position: string | null
  busy: boolean
}

export interface Tally {
  reads: number
  readErrors: number
  /** Reads that did not show what their session had written. */
  wrongReads: number
  writes: number
  writeErrors: number
  messages: Set<string>
}

export interface Load {
  tally: Tally
  /** session:number of every acknowledged write. */
  acknowledged: Set<string>
  /** The same of what was begun after {@link Load.promoted}. */
  begunAfter: Set<string>
  databases: readonly Database[]
  /** From now on writes that are begun are counted as after the promotion. */
  promoted(): void
  /** When a write was first acknowledged after a moment of performance.now(); waits for it. */
  firstWriteAfter(moment: number, limit: number): Promise<number>
  stop(): Promise<void>
  close(): Promise<void>
}

export const TABLE = `
  CREATE TABLE writes (
    session int NOT NULL,
    n       int NOT NULL,
    PRIMARY KEY (session, n)
  )`

const READ = 'SELECT coalesce(max(n), 0)::int AS n FROM writes WHERE session = $1'
const WRITE = 'INSERT INTO writes (session, n) VALUES ($1, $2)'
const SESSIONS = 400

/**
 * Writes and reads of many sessions at `perSecond`, over two instances that know of each other only by the position
 * that a session brings along. Half of all are writes: single statements, and transactions.
 */
export function startLoad(
  { log, random }: { log: Log; random(): number },
  {
    places,
    perSecond,
    fenceFiles,
  }: { places: readonly Place[]; perSecond: number; fenceFiles: readonly string[] },
): Load {
  const [first, ...others] = places
  const databases = fenceFiles.map((fenceFile) =>
    openPostgresDatabase(
      { log },
      {
        ...(first as Place),
        replicas: others.map(({ host, port }) => ({ host, port })),
        ...{ min: 2, max: 10, acquireTimeout: 30_000, idleTimeout: 30_000, failoverWait: 10_000, fenceFile },
      },
    ),
  )
  const sessions = Array.from(
    { length: SESSIONS },
    (_, id): Session => ({ id, acknowledged: 0, next: 1, position: null, busy: false }),
  )
  const tally: Tally = {
    reads: 0,
    readErrors: 0,
    wrongReads: 0,
    writes: 0,
    writeErrors: 0,
    messages: new Set(),
  }
  const [acknowledged, begunAfter] = [new Set<string>(), new Set<string>()]
  const times: number[] = []
  const running = new Set<Promise<void>>()
  let after = false

  async function write(database: Database, session: Session): Promise<void> {
    const n = session.next++
    const key = `${session.id}:${n}`
    if (after) begunAfter.add(key)
    try {
      if (random() < 0.5) await database.query(WRITE, [session.id, n])
      else await inTransaction(database, session.id, n)
      session.acknowledged = n
      acknowledged.add(key)
      tally.writes++
      times.push(performance.now())
    } catch (error) {
      // Not acknowledged: it may be there or not.
      tally.writeErrors++
      tally.messages.add(`write: ${(error as { code?: string }).code} ${(error as Error).message}`)
    }
  }

  async function read(database: Database, session: Session): Promise<void> {
    const least = session.acknowledged
    tally.reads++
    try {
      const { rows } = await database.query<{ n: number }>(READ, [session.id], { read: true })
      const n = rows[0]?.n ?? -1
      if (n < least || n >= session.next) tally.wrongReads++
    } catch (error) {
      tally.readErrors++
      tally.messages.add(`read: ${(error as { code?: string }).code} ${(error as Error).message}`)
    }
  }

  async function request(session: Session): Promise<void> {
    const database = databases[Math.floor(random() * databases.length)] as Database
    session.busy = true
    const position = new Position(session.position)
    const work = random() < 0.5 ? write : read
    await within(position, () => work(database, session))
    session.position = position.text()
    session.busy = false
  }

  const pause = paced(perSecond, () => {
    const session = sessions[Math.floor(random() * SESSIONS)]
    // Its request before still waits: another session's turn.
    const free = session?.busy ? sessions.find(({ busy }) => !busy) : session
    if (!free) return
    const one = request(free).finally(() => running.delete(one))
    running.add(one)
  })

  return {
    ...{ tally, acknowledged, begunAfter, databases },
    promoted: () => {
      after = true
    },
    async firstWriteAfter(moment, limit) {
      const until = performance.now() + limit
      for (;;) {
        const found = times.find((time) => time > moment)
        if (found !== undefined) return found
        if (performance.now() > until) {
          throw new Error(`No write was acknowledged within ${limit} ms. ${[...tally.messages].join(' ')}`)
        }
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    async stop() {
      pause()
      await Promise.all(running)
    },
    async close() {
      pause()
      await Promise.all(databases.map((database) => database.close()))
    },
  }
}

async function inTransaction(database: Database, session: number, n: number): Promise<void> {
  await database.handle.run(
    {
      name: 'chaos.write',
      work: function* ({ db }) {
        yield db.execute(`INSERT INTO writes (session, n) VALUES (${session}, ${n})`)
      },
    },
    undefined,
  )
}
