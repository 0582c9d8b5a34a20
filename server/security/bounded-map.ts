/** A map that forgets its oldest entry when it holds `most` and another one comes. */
export function boundedMap<V>(most: number): Pick<Map<string, V>, 'get' | 'set' | 'delete' | 'size'> {
  const map = new Map<string, V>()
  const set = map.set.bind(map)
  map.set = (key, value) => {
    map.delete(key)
    const oldest = map.size >= most ? map.keys().next().value : undefined
    if (oldest !== undefined) map.delete(oldest)
    return set(key, value)
  }
  return map
}
