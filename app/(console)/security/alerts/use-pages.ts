import { useState } from 'react'

type Place = { at: number; id: string }

/** Steps through pages of a list that begins with the latest: where this one begins, and ways on and back. */
export function usePages() {
  const [places, setPlaces] = useState<readonly Place[]>([])
  return {
    before: places.at(-1),
    older: (next: Place) => setPlaces((all) => [...all, next]),
    latest: () => setPlaces([]),
  }
}
