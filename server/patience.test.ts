import { expect, it } from 'vitest'
import { endsWithin } from './patience'

const never = new Promise<never>(() => {})

it('tells work that ended in time from work that did not', async () => {
  expect(await endsWithin(10_000, Promise.resolve(undefined))).toBe(true)
  expect(await endsWithin(1, never)).toBe(false)
})

it('throws what fails in time, and lets what fails later fail unnoticed', async () => {
  await expect(endsWithin(10_000, Promise.reject(new Error('early')))).rejects.toThrow('early')
  let fail = (_: Error) => {}
  const failing = new Promise<never>((_, reject) => {
    fail = reject
  })
  const unnoticed: unknown[] = []
  const note = (error: unknown) => unnoticed.push(error)
  process.on('unhandledRejection', note)
  expect(await endsWithin(1, failing)).toBe(false)
  fail(new Error('late'))
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  expect(unnoticed).toEqual([])
})
