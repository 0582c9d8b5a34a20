import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { eventsAfter, isNewer, type TabMessage } from './protocol'
import { LiveStream, type StreamHandlers, type Surroundings } from './stream'
import type { Delivered } from './types'

const sample = (n: number): Delivered =>
  ({ id: `boot-${n}`, data: { kind: 'sample', at: n * 1000, values: {} } }) as unknown as Delivered

/** A browser without its network: tabs, their lock, their channel; what the server sends is said by the test. */
class Browser {
  readonly opened: { tab: number; after: string | null; handlers: StreamHandlers; closed: boolean }[] = []
  refreshes: ('fresh' | 'ended' | 'unreachable')[] = []
  readonly #channels = new Set<{ listener: (message: TabMessage) => void }>()
  #holder: Promise<unknown> = Promise.resolve()
  #tabs = 0

  tab({ locks = true } = {}) {
    const tab = ++this.#tabs
    let hidden = false
    let onVisibility = () => {}
    let onOnline = () => {}
    const around: Surroundings = {
      open: (after, handlers) => {
        const stream = { tab, after, handlers, closed: false }
        this.opened.push(stream)
        return () => {
          stream.closed = true
        }
      },
      refresh: async () => this.refreshes.shift() ?? 'unreachable',
      now: () => Date.now(),
      locks: locks ? { request: this.#request as LockManager['request'] } : undefined,
      channel: () => {
        const own = { listener: (_: TabMessage) => {} }
        this.#channels.add(own)
        return {
          post: (message) => {
            for (const other of [...this.#channels]) if (other !== own) other.listener(message)
          },
          onMessage: (listener) => {
            own.listener = listener
          },
          close: () => this.#channels.delete(own),
        }
      },
      hidden: () => hidden,
      onVisibility: (listener) => {
        onVisibility = listener
        return () => {}
      },
      onOnline: (listener) => {
        onOnline = listener
        return () => {}
      },
    }
    const stream = new LiveStream(around)
    const seen: string[] = []
    stream.onEvent((event) => seen.push(event.kind === 'sample' ? String(event.at / 1000) : event.kind))
    return {
      stream,
      seen,
      hide(value: boolean) {
        hidden = value
        onVisibility()
      },
      online: () => onOnline(),
    }
  }

  /** The stream that is open, of which there must be at most one. */
  get current() {
    const open = this.opened.filter(({ closed }) => !closed)
    expect(open.length).toBeLessThanOrEqual(1)
    return open[0]
  }

  send(...numbers: number[]): void {
    for (const n of numbers) this.current?.handlers.onEvent(sample(n))
  }

  /** Web Locks of one name: first come, first served; a request may be withdrawn while it waits. */
  readonly #request = (_: string, { signal }: LockOptions, callback: () => Promise<unknown>) => {
    const before = this.#holder
    const held = before.then(() => (signal?.aborted ? undefined : callback()))
    this.#holder = held.catch(() => {})
    return held
  }
}

const settle = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('one stream for all tabs', () => {
  it('is opened by one tab and heard by all, in order and once', async () => {
    const browser = new Browser()
    const tabs = [browser.tab(), browser.tab(), browser.tab()]
    for (const { stream } of tabs) stream.start()
    await settle()
    expect(browser.opened).toHaveLength(1)
    browser.send(1, 2, 2, 3)
    for (const { seen } of tabs) expect(seen).toEqual(['1', '2', '3'])
  })

  it('is taken over, after the last event, by the next tab when the leading one goes', async () => {
    const browser = new Browser()
    const [first, second] = [browser.tab(), browser.tab()]
    const stop = first.stream.start()
    second.stream.start()
    await settle()
    browser.send(1, 2)
    stop()
    await settle()
    expect(browser.opened.map(({ tab, after }) => [tab, after])).toEqual([
      [1, null],
      [2, 'boot-2'],
    ])
    browser.send(3)
    expect(second.seen).toEqual(['1', '2', '3'])
    expect(first.seen).toEqual(['1', '2'])
  })

  it('gives a tab that comes back what it has missed, before what is new', async () => {
    const browser = new Browser()
    const [leader, follower] = [browser.tab(), browser.tab()]
    leader.stream.start()
    follower.stream.start()
    await settle()
    browser.send(1)
    follower.stream.pause()
    browser.send(2, 3)
    expect(follower.seen).toEqual(['1'])
    expect(follower.stream.state.connection).toBe('paused')
    follower.stream.resume()
    browser.send(4)
    expect(follower.seen).toEqual(['1', '2', '3', '4'])
    expect(follower.stream.state.connection).toBe('live')
  })

  it('is every tab’s own where there are no Web Locks', async () => {
    const browser = new Browser()
    const tabs = [browser.tab({ locks: false }), browser.tab({ locks: false })]
    for (const { stream } of tabs) stream.start()
    await settle()
    expect(browser.opened.map(({ tab }) => tab)).toEqual([1, 2])
  })

  it('is closed 60 s after the tab was hidden and resumed when it is seen again', async () => {
    const browser = new Browser()
    const tab = browser.tab()
    tab.stream.start()
    await settle()
    browser.send(1)
    tab.hide(true)
    await vi.advanceTimersByTimeAsync(59_000)
    expect(browser.current).toBeDefined()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(browser.current).toBeUndefined()
    tab.hide(false)
    await settle()
    expect(browser.current?.after).toBe('boot-1')
    expect(tab.stream.state.connection).toBe('live')
  })
})

describe('what the control says', () => {
  it('is Reconnecting after 5 s of silence, Offline after 15 s, and Live with the next event', async () => {
    const browser = new Browser()
    const { stream } = browser.tab()
    stream.start()
    await settle()
    browser.send(1)
    const said: string[] = []
    for (let second = 1; second <= 16; second++) {
      await vi.advanceTimersByTimeAsync(1_000)
      if (said.at(-1) !== stream.state.connection) said.push(stream.state.connection)
      if (second === 4) expect(said).toEqual(['live'])
      if (second === 14) expect(said).toEqual(['live', 'reconnecting'])
    }
    expect(said).toEqual(['live', 'reconnecting', 'offline'])
    expect(stream.state.silentSince).toBe(Date.now() - 16_000)
    browser.send(2)
    expect(stream.state).toMatchObject({ connection: 'live', silentSince: null })
  })

  it('opens a lost stream again, ever later up to 5 s, after the last event', async () => {
    const browser = new Browser()
    const { stream } = browser.tab()
    stream.start()
    await settle()
    browser.send(7)
    const times: number[] = []
    for (let attempt = 0; attempt < 8; attempt++) {
      const lostAt = Date.now()
      browser.current?.handlers.onEnd('lost')
      const before = browser.opened.length
      while (browser.opened.length === before) await vi.advanceTimersByTimeAsync(50)
      times.push(Date.now() - lostAt)
    }
    expect(times[0]).toBeLessThanOrEqual(700)
    expect(Math.max(...times)).toBeLessThanOrEqual(6_300)
    expect(Math.min(...times.slice(-2))).toBeGreaterThanOrEqual(3_700)
    expect(browser.current?.after).toBe('boot-7')
  })

  it('opens a stream that hangs anew every 15 s', async () => {
    const browser = new Browser()
    browser.tab().stream.start()
    await settle()
    browser.send(3)
    await vi.advanceTimersByTimeAsync(46_000)
    expect(browser.opened.map(({ after }) => after)).toEqual([null, 'boot-3', 'boot-3', 'boot-3'])
    expect(browser.current).toBeDefined()
  })

  it('opens at once when the network is back', async () => {
    const browser = new Browser()
    const tab = browser.tab()
    tab.stream.start()
    await settle()
    browser.current?.handlers.onEnd('lost')
    tab.online()
    expect(browser.opened).toHaveLength(2)
  })

  it('is Signed out in every tab when the session has ended, and Live after a sign-in', async () => {
    const browser = new Browser()
    const [leader, follower] = [browser.tab(), browser.tab()]
    leader.stream.start()
    follower.stream.start()
    await settle()
    browser.refreshes = ['ended']
    browser.current?.handlers.onEnd('signed-out')
    await settle()
    for (const { stream } of [leader, follower]) expect(stream.state.connection).toBe('signed-out')
    expect(browser.current).toBeUndefined()
    follower.stream.signIn()
    await settle()
    browser.send(1)
    expect(follower.stream.state.connection).toBe('live')
  })

  it('refreshes an access that has run out and goes on after the last event', async () => {
    const browser = new Browser()
    const { stream } = browser.tab()
    stream.start()
    await settle()
    browser.send(4)
    browser.refreshes = ['fresh']
    browser.current?.handlers.onEnd('signed-out')
    await settle()
    expect(browser.current?.after).toBe('boot-4')
    expect(stream.state.connection).toBe('live')
  })
})

describe('samples', () => {
  it('are those of the page and those of the stream, without doubles, at most 900', async () => {
    const browser = new Browser()
    const { stream } = browser.tab()
    const page = [1, 2, 3].map((n) => sample(n).data) as Parameters<LiveStream['seed']>[0]
    stream.seed(page, 'boot-3')
    stream.start()
    await settle()
    expect(browser.current?.after).toBe('boot-3')
    browser.send(4)
    stream.seed(page, 'boot-3')
    expect(stream.state.samples.map(({ at }) => at)).toEqual([1000, 2000, 3000, 4000])
    for (let n = 5; n < 2_000; n++) browser.send(n)
    expect(stream.state.samples).toHaveLength(900)
    expect(stream.state.samples.at(-1)?.at).toBe(1_999_000)
  })
})

describe('ids', () => {
  it('count within a process and begin anew with another', () => {
    expect([isNewer('a-2', 'a-1'), isNewer('a-1', 'a-1'), isNewer('a-10', 'a-9')]).toEqual([
      true,
      false,
      true,
    ])
    expect([isNewer('b-1', 'a-9'), isNewer('a-1', null)]).toEqual([true, true])
  })

  it('tell whether something between is missing', () => {
    const recent = [sample(5), sample(6)]
    expect(eventsAfter(recent, 'boot-4')).toEqual(recent)
    expect(eventsAfter(recent, 'boot-5')).toEqual([sample(6)])
    expect(eventsAfter(recent, 'boot-9')).toEqual([])
    expect([
      eventsAfter(recent, 'boot-3'),
      eventsAfter(recent, 'other-5'),
      eventsAfter([], 'boot-1'),
    ]).toEqual([null, null, null])
  })
})
