import { unlessAborted } from './deadline'

/** A fetch that several callers wait for. */
export interface Flight {
  /** The key of its URL: an unsafe call to it makes what the fetch brings too old to keep. */
  urlKey: string
  /** False once an unsafe call overtook it. */
  mayKeep: boolean
}

interface Running<T> extends Flight {
  result: Promise<{ value: T; shareable: boolean }>
  callers: number
  controller: AbortController
}

type Work<T> = (flight: Flight, signal: AbortSignal) => Promise<{ value: T; shareable: boolean }>

/** Lets equal calls at the same time share one fetch. Each waits as long as its own signal lets it. */
export class Flights<T> {
  readonly #running = new Map<string, Running<T>>()

  /**
   * Begins the fetch, or waits for the one under way. `joined` tells that it was another's. Undefined when another's
   * brought what is for that caller alone. Throws what the fetch throws, or the reason of the signal.
   */
  async join(
    key: string,
    urlKey: string,
    signal: AbortSignal,
    work: Work<T>,
  ): Promise<{ value: T; joined: boolean } | undefined> {
    const running = this.#running.get(key)
    const flight = running ?? this.#begin(key, urlKey, work)
    flight.callers++
    try {
      const { value, shareable } = await unlessAborted(signal, flight.result)
      if (running && !shareable) return undefined
      return { value, joined: running !== undefined }
    } finally {
      flight.callers--
      if (flight.callers === 0) {
        // The last who waited has left: nobody wants the answer, and nobody may join it any more.
        this.#forget(key, flight)
        flight.controller.abort(signal.reason)
      }
    }
  }

  #begin(key: string, urlKey: string, work: Work<T>): Running<T> {
    const controller = new AbortController()
    const flight: Running<T> = {
      urlKey,
      mayKeep: true,
      callers: 0,
      controller,
      result: Promise.resolve().then(() => work(flight, controller.signal)),
    }
    flight.result.catch(() => {}).finally(() => this.#forget(key, flight))
    this.#running.set(key, flight)
    return flight
  }

  #forget(key: string, flight: Running<T>): void {
    if (this.#running.get(key) === flight) this.#running.delete(key)
  }

  /** Fetches of the URL that are under way bring what is old: they are not kept, and nobody joins them any more. */
  overtake(urlKey: string): void {
    for (const [key, flight] of this.#running) {
      if (flight.urlKey !== urlKey) continue
      flight.mayKeep = false
      this.#running.delete(key)
    }
  }
}
