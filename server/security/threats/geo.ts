import { isIP } from 'node:net'
import { type CityResponse, open } from 'maxmind'
import type { Log } from '@/server/log'
import type { RuleFacts } from './types'

/** Radius of error where the file tells none, km. */
const unknownRadius = 100

/**
 * Opens a file that tells where addresses are (MaxMind's MMDB format, with cities). One that cannot be read leaves
 * the rules that need it unavailable.
 */
export async function openPlaces(
  { log }: { log: Log },
  file: string | undefined,
): Promise<RuleFacts['place']> {
  if (!file) return undefined
  try {
    const reader = await open<CityResponse>(file, { cache: { max: 2_000 } })
    return (address) => {
      // What is no address, such as `unknown`, is nowhere.
      const found = isIP(address) ? reader.get(address) : null
      const { latitude, longitude, accuracy_radius: radius = unknownRadius } = found?.location ?? {}
      if (latitude === undefined || longitude === undefined) return null
      const names = [found?.city?.names.en, found?.country?.names.en].filter((name) => name)
      return { latitude, longitude, radius, name: names.join(', ') || 'an unnamed place' }
    }
  } catch (error) {
    log.warn({ error, file }, 'GEOIP_MMDB cannot be read: impossible travel is not watched')
    return undefined
  }
}
