const earthKm = 6_371

const radians = (degrees: number) => (degrees * Math.PI) / 180

interface Point {
  latitude: number
  longitude: number
}

/** Great-circle distance by the haversine formula (R. W. Sinnott, Sky and Telescope 68, 1984), km. */
export function distanceKm(a: Point, b: Point): number {
  const [north, east] = [radians(b.latitude - a.latitude) / 2, radians(b.longitude - a.longitude) / 2]
  const across = Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude))
  const h = Math.sin(north) ** 2 + across * Math.sin(east) ** 2
  return 2 * earthKm * Math.asin(Math.sqrt(Math.min(1, h)))
}
