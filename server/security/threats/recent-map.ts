/**
 * A map that keeps what was used lately: at least `most / 2` entries, at most `most`. Two generations: a full young
 * one becomes the old one, whose entries go unless they are asked for. Unlike a Map that is emptied at its front,
 * this takes the same time however many keys an attacker makes up.
 */
export interface RecentMap<V> {
  /** Also keeps it for longer. */
  get(key: string): V | undefined
  set(key: string, value: V): void
  /** Begins a new generation now. */
  turn(): void
  values(): V[]
  readonly size: number
}

export function recentMap<V>(most: number, gone: (value: V) => void = () => {}): RecentMap<V> {
  let young = new Map<string, V>()
  let old = new Map<string, V>()
  function turn(): void {
    for (const value of old.values()) gone(value)
    old = young
    young = new Map()
  }
  function set(key: string, value: V): void {
    if (young.size >= most / 2 && !young.has(key)) turn()
    young.set(key, value)
    old.delete(key)
  }
  return {
    get(key) {
      const value = young.get(key)
      if (value !== undefined) return value
      const older = old.get(key)
      if (older !== undefined) {
        // First out of the old one: the turn that `set` may cause must not lose it.
        old.delete(key)
        set(key, older)
      }
      return older
    },
    set,
    turn,
    values: () => [...old.values(), ...young.values()],
    get size() {
      return young.size + old.size
    },
  }
}
