import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openLog } from '@/server/log'
import { createEngine, evaluate } from './engine'
import { openPlaces } from './geo'
import { mmdbOf } from './testing/mmdb'
import { hour, log } from './testing/rows'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-places-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const place = (city: string, country: string, latitude: number, longitude: number) => ({
  ...{ city: { names: { en: city } }, country: { names: { en: country } } },
  location: { latitude, longitude, accuracy_radius: 20 },
})

it('tells where an address is from an MMDB file, and finds impossible travel by it', async () => {
  const file = join(folder, 'places.mmdb')
  const networks = {
    '198.51.100.0/24': place('Berlin', 'Germany', 52.52, 13.4),
    '192.0.2.0/24': place('Sydney', 'Australia', -33.87, 151.2),
  }
  writeFileSync(file, mmdbOf(networks))
  const where = await openPlaces({ log: openLog('error') }, file)
  expect(where?.('198.51.100.7')).toEqual({
    ...{ latitude: 52.52, longitude: 13.4, radius: 20, name: 'Berlin, Germany' },
  })
  expect(where?.('203.0.113.1')).toBeNull()
  expect(where?.('unknown')).toBeNull()
  const { success } = log()
  const rows = [success('ana', 0, '198.51.100.7'), success('ana', hour, '192.0.2.1')]
  const hits = evaluate(createEngine(new Map(), { place: where }), rows)
  expect(hits).toMatchObject([{ rule: 'impossible-travel', subject: 'user:id-ana', severity: 'high' }])
  expect(hits[0]?.summary).toMatch(
    /^Signed in from Sydney, Australia, 16\d{3} km from Berlin, Germany, 60 minutes/,
  )
})

it('leaves the rule unavailable without a file, and with one that cannot be read', async () => {
  const file = join(folder, 'broken.mmdb')
  writeFileSync(file, 'no places')
  expect(await openPlaces({ log: openLog('error') }, file)).toBeUndefined()
  expect(await openPlaces({ log: openLog('error') }, undefined)).toBeUndefined()
  const { success } = log()
  const rows = [success('ana', 0, '198.51.100.7'), success('ana', hour, '192.0.2.1')]
  expect(evaluate(createEngine(), rows)).toEqual([])
})
