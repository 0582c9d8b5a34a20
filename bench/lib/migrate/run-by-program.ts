import { bearer, type enrolByProgram, program } from '@/e2e/program'

const POLL_MS = 500

export interface Admin {
  token: string
  app: Awaited<ReturnType<typeof enrolByProgram>>['app']
}

/** One migration as an admin's page asks for it: made, planned, started with a fresh code, followed to its end. */
export class RunByProgram {
  readonly #place: { url: string }
  readonly #admin: Admin
  readonly #id: string

  private constructor(place: { url: string }, admin: Admin, id: string) {
    this.#place = place
    this.#admin = admin
    this.#id = id
  }

  /** Makes a run from a file of a folder that the console may read to the PostgreSQL of its environment. */
  static async create(place: { url: string }, admin: Admin, path: string): Promise<RunByProgram> {
    const input = { source: { kind: 'folder', path }, target: { kind: 'environment' } }
    const { id } = good(await program(place).call('migration.create', input, bearer(admin.token)))
    return new RunByProgram(place, admin, id)
  }

  get id(): string {
    return this.#id
  }

  /** Resolves when checks and plan are made, and acknowledges what is amber. */
  async planned(): Promise<void> {
    const { checks } = await this.#until(({ plan, phase }) => plan !== null && phase === null)
    const amber = checks.filter(({ state }) => state === 'amber')
    if (amber.length === 0) return
    const input = { id: this.#id, checks: amber.map(({ id }) => id) }
    good(await program(this.#place).call('migration.acknowledge', input, bearer(this.#admin.token)))
  }

  /** Confirms the start with a code; the admin goes on with the tokens that come of it. */
  async granted(): Promise<Record<string, string>> {
    const input = { action: 'migration.start', input: { id: this.#id }, code: this.#admin.app.next() }
    const grant = good(await program(this.#place).post('/api/auth/step-up', input, bearer(this.#admin.token)))
    this.#admin.token = grant.tokens.accessToken
    return { ...bearer(this.#admin.token), 'holdfast-step-up': grant.grantId }
  }

  /** Starts it and resolves when it is completed. */
  async completed(headers: Record<string, string>): Promise<void> {
    good(await program(this.#place).call('migration.start', { id: this.#id }, headers))
    await this.#until(({ state }) => state === 'completed')
  }

  /** Asks for the run as its page does. */
  async #until(holds: (run: Run) => boolean): Promise<Run> {
    for (;;) {
      const input = encodeURIComponent(JSON.stringify({ id: this.#id }))
      const { query } = program(this.#place)
      const run: Run = good(await query(`migration.run?input=${input}`, bearer(this.#admin.token)))
      if (run.error || run.state === 'failed') throw new Error(`The run failed: ${JSON.stringify(run.error)}`)
      if (holds(run)) return run
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }
}

interface Run {
  state: string
  plan: object | null
  phase: string | null
  error: unknown
  checks: { id: string; state: string }[]
}

function good<T>({ status, body }: { status: number; body: T }): T {
  if (status !== 200) throw new Error(`The console answered ${status}: ${JSON.stringify(body)}`)
  return body
}
