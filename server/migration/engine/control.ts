import { MigrationError } from '../failure'

/** Thrown where a run stops because its parent is gone; nothing is reported to anybody then. */
export class Stopped extends Error {}

/** What a parent wants of a run at work. */
export interface Control {
  readonly wanted: 'run' | 'pause' | 'cancel' | 'stop'
  want(what: 'run' | 'pause' | 'cancel' | 'stop'): void
  /** Called at every change, e.g. to tell the threads. */
  onChange(listener: () => void): void
  /** Passes at once while running, waits while paused, throws CANCELLED or Stopped. */
  gate(): Promise<void>
}

/** `paused` is called once a pause, when the first work waits for its end; `resumed` when it goes on. */
export function openControl(hooks: { paused(): void; resumed(): void }): Control {
  let wanted: Control['wanted'] = 'run'
  let told = false
  const listeners = new Set<() => void>()
  return {
    get wanted() {
      return wanted
    },
    want(what) {
      // A cancelled or stopped run doesn't go on.
      if (wanted === 'cancel' || wanted === 'stop') return
      if (told && what === 'run') hooks.resumed()
      if (what !== 'pause') told = false
      wanted = what
      for (const listener of [...listeners]) listener()
    },
    onChange(listener) {
      listeners.add(listener)
    },
    async gate() {
      while (wanted === 'pause') {
        if (!told) hooks.paused()
        told = true
        await new Promise<void>((resolve) => {
          const listener = () => {
            listeners.delete(listener)
            resolve()
          }
          listeners.add(listener)
        })
      }
      if (wanted === 'cancel')
        throw new MigrationError('CANCELLED', 'The run was cancelled.', 'Start a new one.')
      if (wanted === 'stop') throw new Stopped('stopped')
    },
  }
}
