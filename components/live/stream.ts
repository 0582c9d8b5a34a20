import { eventsAfter, isNewer, type TabMessage } from './protocol'
import type { Delivered, LiveEvent, Sample } from './types'

export type Connection = 'live' | 'paused' | 'reconnecting' | 'offline' | 'signed-out'

export interface LiveState {
  connection: Connection
  /** The newest samples, oldest first: at most 15 minutes. */
  samples: readonly Sample[]
  /** Since when nothing has come, ms; null while live or paused. */
  silentSince: number | null
}

export interface StreamHandlers {
  onEvent(delivered: Delivered): void
  /** The stream ended for good and would have to be opened anew. */
  onEnd(reason: 'signed-out' | 'lost'): void
}

/** The browser around the stream. Tests bring another one. */
export interface Surroundings {
  /** Opens the event stream after an id; answers how to close it. */
  open(after: string | null, handlers: StreamHandlers): () => void
  refresh(): Promise<'fresh' | 'ended' | 'unreachable'>
  now(): number
  /** Absent where the page has no Web Locks (plain http): then every tab has its own stream. */
  locks: Pick<LockManager, 'request'> | undefined
  channel(): TabChannel
  hidden(): boolean
  onVisibility(listener: () => void): () => void
  onOnline(listener: () => void): () => void
}

export interface TabChannel {
  post(message: TabMessage): void
  onMessage(listener: (message: TabMessage) => void): void
  close(): void
}

const LOCK = 'holdfast-live'
const RECONNECTING_AFTER = 5_000
const OFFLINE_AFTER = 15_000
const HIDDEN_CLOSES_AFTER = 60_000
const CATCH_UP_PATIENCE = 1_000
const REMEMBERED = 900
const FIRST_RETRY = 500
const LONGEST_RETRY = 5_000

/**
 * One event stream for all tabs of a browser. The tab that holds a Web Lock reads it and passes every event
 * on; when that tab goes, the next one opens the stream after the last id it has seen. Memory is bounded.
 */
export class LiveStream {
  readonly #around: Surroundings
  readonly #tab = Math.random().toString(36).slice(2)
  readonly #listeners = new Set<() => void>()
  readonly #eventListeners = new Set<(event: LiveEvent) => void>()
  readonly #recent: Delivered[] = []
  #state: LiveState = { connection: 'live', samples: [], silentSince: null }
  #lastId: string | null = null
  #heardAt: number
  #paused = false
  #signedOut = false
  #hiddenSince: number | null = null
  #channel: TabChannel | undefined
  /** Leaves the group of tabs; undefined while this tab is not in it. */
  #leave: (() => void) | undefined
  #closeStream: (() => void) | undefined
  #leading = false
  /** Events that came while an answer to `join` is awaited. */
  #held: Delivered[] | undefined
  #openedAt = 0
  #retryDelay = FIRST_RETRY
  #retryTimer: ReturnType<typeof setTimeout> | undefined

  constructor(around: Surroundings) {
    this.#around = around
    this.#heardAt = around.now()
  }

  /** Begins to follow; answers how to stop. */
  start(): () => void {
    this.#heardAt = this.#around.now()
    const stop = [this.#around.onVisibility(() => this.#turn()), this.#around.onOnline(() => this.retry())]
    const timer = setInterval(() => this.#turn(), 1_000)
    this.#turn()
    return () => {
      clearInterval(timer)
      for (const each of stop) each()
      this.#leave?.()
    }
  }

  get state(): LiveState {
    return this.#state
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls back for every event, in order, once each. */
  onEvent(listener: (event: LiveEvent) => void): () => void {
    this.#eventListeners.add(listener)
    return () => this.#eventListeners.delete(listener)
  }

  /**
   * Puts the samples that the page knows in with those of the stream.
   * @param lastId the event after which the stream goes on from them; heeded before the first event
   */
  seed(samples: readonly Sample[], lastId: string): void {
    this.#lastId ??= lastId
    const known = new Set(this.#state.samples.map(({ at }) => at))
    const added = samples.filter(({ at }) => !known.has(at))
    if (added.length === 0) return
    const all = [...added, ...this.#state.samples].sort((a, b) => a.at - b.at)
    this.#set({ samples: all.slice(-REMEMBERED) })
  }

  pause(): void {
    this.#paused = true
    this.#turn()
  }

  resume(): void {
    this.#paused = false
    this.#heardAt = this.#around.now()
    this.#turn()
  }

  /** Tries to connect at once. */
  retry(): void {
    if (!this.#leading) return
    this.#retryDelay = FIRST_RETRY
    this.#open()
  }

  /** Another request has shown that nobody is signed in. */
  signOut(): void {
    if (this.#signedOut) return
    this.#signedOut = true
    this.#channel?.post({ type: 'signed-out' })
    this.#turn()
  }

  /** Somebody has signed in again over the page. */
  signIn(): void {
    this.#signedOut = false
    this.#heardAt = this.#around.now()
    this.#turn()
  }

  /** Joins or leaves the group of tabs by what holds now, and judges the silence. */
  #turn(): void {
    const now = this.#around.now()
    if (!this.#around.hidden()) {
      if (this.#hiddenSince !== null && !this.#leave) this.#heardAt = now
      this.#hiddenSince = null
    } else {
      this.#hiddenSince ??= now
    }
    const away = this.#hiddenSince !== null && now - this.#hiddenSince >= HIDDEN_CLOSES_AFTER
    const follows = !this.#paused && !this.#signedOut && !away
    if (follows && !this.#leave) this.#join()
    if (!follows) this.#leave?.()
    // A connection that hangs says nothing: it is not waited for.
    const since = Math.max(this.#heardAt, this.#openedAt)
    if (this.#leading && now - since >= OFFLINE_AFTER) this.#open()
    this.#judge(now, away)
  }

  #judge(now: number, away: boolean): void {
    const silence = now - this.#heardAt
    const connection: Connection = this.#signedOut
      ? 'signed-out'
      : this.#paused
        ? 'paused'
        : away || silence < RECONNECTING_AFTER
          ? 'live'
          : silence < OFFLINE_AFTER
            ? 'reconnecting'
            : 'offline'
    const silent = connection === 'reconnecting' || connection === 'offline'
    const silentSince = silent ? this.#heardAt : null
    if (connection !== this.#state.connection || silentSince !== this.#state.silentSince) {
      this.#set({ connection, silentSince })
    }
  }

  #join(): void {
    const channel = this.#around.channel()
    this.#channel = channel
    channel.onMessage((message) => this.#hear(message))
    const release = new AbortController()
    this.#leave = () => {
      this.#leave = undefined
      this.#channel = undefined
      release.abort()
      this.#stopLeading()
      this.#release(null)
      channel.close()
    }
    const lead = () => {
      if (release.signal.aborted) return Promise.resolve()
      this.#lead()
      return new Promise<void>((resolve) => release.signal.addEventListener('abort', () => resolve()))
    }
    if (!this.#around.locks) {
      void lead()
      return
    }
    this.#around.locks.request(LOCK, { signal: release.signal }, lead).catch(() => {})
    if (!this.#leading && this.#lastId !== null) this.#askForMissed(channel, this.#lastId)
  }

  #askForMissed(channel: TabChannel, after: string): void {
    const held: Delivered[] = []
    this.#held = held
    channel.post({ type: 'join', from: this.#tab, after })
    setTimeout(() => {
      if (this.#held === held) this.#release(null)
    }, CATCH_UP_PATIENCE)
  }

  #hear(message: TabMessage): void {
    if (message.type === 'event') {
      if (this.#held) this.#held.push(message.delivered)
      else this.#deliver(message.delivered)
    } else if (message.type === 'join' && this.#leading) {
      this.#channel?.post({
        type: 'catch-up',
        to: message.from,
        missed: eventsAfter(this.#recent, message.after),
      })
    } else if (message.type === 'catch-up' && message.to === this.#tab) {
      this.#release(message.missed ?? [{ id: this.#lastId ?? '', data: { kind: 'reset' } }])
    } else if (message.type === 'signed-out') {
      this.#signedOut = true
      this.#turn()
    }
  }

  /** Lets held events go, after those that were missed. */
  #release(missed: Delivered[] | null): void {
    const held = this.#held
    if (!held) return
    this.#held = undefined
    for (const delivered of [...(missed ?? []), ...held]) this.#deliver(delivered)
  }

  #lead(): void {
    this.#leading = true
    this.#release(null)
    this.#open()
  }

  #stopLeading(): void {
    this.#leading = false
    clearTimeout(this.#retryTimer)
    this.#closeStream?.()
    this.#closeStream = undefined
  }

  #open(): void {
    clearTimeout(this.#retryTimer)
    this.#closeStream?.()
    this.#openedAt = this.#around.now()
    let open = true
    const close = this.#around.open(this.#lastId, {
      onEvent: (delivered) => {
        if (!open) return
        this.#retryDelay = FIRST_RETRY
        this.#channel?.post({ type: 'event', delivered })
        this.#deliver(delivered)
      },
      onEnd: (reason) => {
        if (!open) return
        open = false
        if (reason === 'lost') this.#openLater()
        else void this.#refresh()
      },
    })
    this.#closeStream = () => {
      open = false
      close()
    }
  }

  async #refresh(): Promise<void> {
    const outcome = await this.#around.refresh()
    if (!this.#leading) return
    if (outcome === 'fresh') this.#open()
    else if (outcome === 'ended') this.signOut()
    else this.#openLater()
  }

  #openLater(): void {
    const delay = this.#retryDelay * (0.75 + Math.random() / 2)
    this.#retryDelay = Math.min(LONGEST_RETRY, this.#retryDelay * 2)
    clearTimeout(this.#retryTimer)
    this.#retryTimer = setTimeout(() => this.#open(), delay)
  }

  #deliver(delivered: Delivered): void {
    const { id, data: event } = delivered
    const now = this.#around.now()
    this.#heardAt = now
    if (event.kind !== 'reset') {
      if (!isNewer(id, this.#lastId)) return
      this.#recent.push(delivered)
      if (this.#recent.length > REMEMBERED) this.#recent.shift()
    }
    this.#lastId = id === '' ? this.#lastId : id
    if (event.kind === 'sample') {
      const { at, values } = event
      const last = this.#state.samples.at(-1)
      const samples = last && last.at >= at ? this.#state.samples : [...this.#state.samples, { at, values }]
      this.#set({ samples: samples.slice(-REMEMBERED) })
    }
    for (const listener of [...this.#eventListeners]) listener(event)
    this.#judge(now, false)
  }

  #set(change: Partial<LiveState>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of [...this.#listeners]) listener()
  }
}
