import { and, count, eq, type SQL, sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores } from '@/db/testing/stores'
import { Histogram } from '@/server/histogram'
import { openLog } from '@/server/log'
import type { MetricValues } from './events'
import { type MetricName, metricNames } from './metrics'
import { packed } from './query-times'
import { Accumulator, combine } from './rollups'
import { gridOf } from './rollups-range'
import { Recorder } from './rollups-recorder'
import { cleanRollups, writeRollups } from './rollups-units'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const start = Date.UTC(2026, 0, 5, 12)
const nothing = Object.fromEntries(metricNames.map((name) => [name, null])) as MetricValues
const queries = 'holdfast_database_queries_per_second' satisfies MetricName
const idle = 'holdfast_database_pool_idle_connections' satisfies MetricName
const cpu = 'holdfast_process_cpu_ratio' satisfies MetricName
const slowest = 'holdfast_database_query_p99_seconds' satisfies MetricName
const events = 'holdfast_audit_events' satisfies MetricName

class TestClock {
  at = start
  now = () => this.at
}

function openInstance(store: Store, clock: TestClock, instance = 'one') {
  const lines: string[] = []
  const log = openLog('warn', (line) => lines.push(line))
  return { recorder: new Recorder({ store, clock, log, instance }), lines }
}

/** Samples a second apart, from `from` on. */
function sample(recorder: Recorder, from: number, seconds: number, values: Partial<MetricValues>): void {
  for (let i = 0; i < seconds; i++) {
    recorder.add({ at: from + (i + 1) * 1_000 - 1, values: { ...nothing, ...values } })
  }
}

function counted(milliseconds: number) {
  const histogram = new Histogram()
  histogram.record(milliseconds)
  return packed(histogram.counts().buckets)
}

const rowsOf = async (store: Store, step: number) => {
  const { metricRollups } = store.tables
  const rows = await store.db
    .select({ n: count() })
    .from(metricRollups)
    .where(and(eq(metricRollups.step, step)))
  return rows[0]?.n
}

describe('accumulator', () => {
  it('keeps mean, highest and count of each metric, and skips what was not measured', () => {
    const minutes = new Accumulator(start, metricNames)
    minutes.add({ at: start + 1, values: { ...nothing, [queries]: 2 } })
    minutes.add({ at: start + 2, values: { ...nothing, [queries]: 6, [cpu]: 0.5 } })
    const rollup = minutes.rollup('one', minute)
    const at = (name: MetricName) => metricNames.indexOf(name)
    expect(rollup).toMatchObject({ samples: 2, firstAt: start + 1, lastAt: start + 2 })
    expect([rollup.mean[at(queries)], rollup.max[at(queries)], rollup.count[at(queries)]]).toEqual([4, 6, 2])
    expect([rollup.mean[at(cpu)], rollup.count[at(cpu)]]).toEqual([0.5, 1])
    expect([rollup.mean[at(idle)], rollup.max[at(idle)], rollup.count[at(idle)]]).toEqual([null, null, 0])
  })

  it('weighs parts by their samples when they become one', () => {
    const of = (at: number, seconds: number, value: number) => {
      const one = new Accumulator(at, metricNames)
      for (let i = 0; i < seconds; i++)
        one.add({ at: at + i * 1_000, values: { ...nothing, [queries]: value } })
      return one.rollup('one', minute)
    }
    const ten = combine([of(start, 60, 1), of(start + minute, 20, 5)], 10 * minute)
    expect(ten.mean[metricNames.indexOf(queries)]).toBe(2)
    expect(ten.max[metricNames.indexOf(queries)]).toBe(5)
    expect(ten.samples).toBe(80)
  })
})

describe('grid of a range', () => {
  const now = start + 10 * day
  it.each([
    ['an hour in minutes', hour, 360, minute, minute],
    ['a day in five minutes', day, 360, 5 * minute, minute],
    ['two days in ten minutes', 2 * day, 360, 10 * minute, 10 * minute],
    ['a week in half hours', 7 * day, 360, 30 * minute, 10 * minute],
    ['a month in two hours', 30 * day, 361, 2 * hour, hour],
    ['a month in three points', 30 * day, 3, 11 * day, hour],
  ])('draws %s', (_, span, points, step, of) => {
    const grid = gridOf({ from: now - span, to: now, points }, now)
    expect(grid).toMatchObject({ step, of })
    expect((grid.to - grid.from) / step).toBeLessThanOrEqual(points)
  })

  it('covers the whole range, also where it begins and ends within a step', () => {
    const grid = gridOf({ from: now - hour - 1_000, to: now + 1_000, points: 70 }, now)
    expect(grid.from).toBeLessThanOrEqual(now - hour - 1_000)
    expect(grid.to).toBeGreaterThanOrEqual(now + 1_000)
    expect((grid.to - grid.from) / grid.step).toBeLessThanOrEqual(70)
  })

  it('has no minutes for what lies further back than they are kept', () => {
    const from = now - 3 * day
    expect(gridOf({ from, to: from + hour, points: 360 }, now)).toMatchObject({ step: 10 * minute })
  })
})

describeStores((open) => {
  it('writes one row a minute, and the longer steps with it', async () => {
    const store = await open()
    const clock = new TestClock()
    const { recorder } = openInstance(store, clock)
    for (let i = 0; i < 12; i++) sample(recorder, start + i * minute, 60, { [queries]: i })
    await recorder.flush()
    expect([
      await rowsOf(store, minute),
      await rowsOf(store, 10 * minute),
      await rowsOf(store, hour),
    ]).toEqual([11, 2, 1])
    clock.at = start + 12 * minute
    const range = await recorder.range({
      from: start,
      to: start + 20 * minute,
      points: 2,
      metrics: [queries],
    })
    expect(range.mean).toEqual({ [queries]: [4.5, 10.5] })
    expect(range.max).toEqual({ [queries]: [9, 11] })
  })

  it('writes the part of a minute at its end, and another process goes on with the rest', async () => {
    const store = await open()
    const clock = new TestClock()
    const first = openInstance(store, clock, 'first').recorder
    sample(first, start, 20, { [idle]: 10, [events]: 5 })
    await first.close()
    const second = openInstance(store, clock, 'second').recorder
    sample(second, start + 20_000, 40, { [idle]: 4, [events]: 6 })
    sample(second, start + minute, 1, { [idle]: 4 })
    await second.flush()
    clock.at = start + minute + 2_000
    const { mean, max } = await second.range({ from: start, to: start + minute, points: 2 })
    // Never both at a time: their connections are not added up.
    expect([mean[idle][0], max[idle][0], mean[events][0]]).toEqual([6, 10, 6])
  })

  it('adds up, averages, takes the worst or the last of two instances, as each metric asks', async () => {
    const store = await open()
    const clock = new TestClock()
    const one = openInstance(store, clock, 'one').recorder
    const two = openInstance(store, clock, 'two').recorder
    for (let i = 0; i < 3; i++) {
      sample(one, start + i * minute, 60, { [queries]: 10, [cpu]: 0.2, [slowest]: 0.01, [events]: 7 })
      sample(two, start + i * minute, 60, { [queries]: 30, [cpu]: 0.6, [slowest]: 0.05, [events]: 7 })
    }
    await Promise.all([one.flush(), two.flush()])
    clock.at = start + 3 * minute
    const { mean, max } = await one.range({ from: start, to: start + 3 * minute, points: 10 })
    expect(mean[queries]).toEqual([40, 40, 40])
    expect(max[queries]).toEqual([40, 40, 40])
    expect(mean[cpu]?.map((value) => value?.toFixed(3))).toEqual(['0.400', '0.400', '0.400'])
    expect(mean[slowest]).toEqual([0.05, 0.05, 0.05])
    expect(mean[events]).toEqual([7, 7, 7])
    // The last minute of the other one is not written yet: it is taken to go on.
    expect((await two.range({ from: start, to: start + 3 * minute, points: 10 })).mean[queries]).toEqual([
      40, 40, 40,
    ])
  })

  it('leaves a gap where nothing was measured', async () => {
    const store = await open()
    const clock = new TestClock()
    const { recorder } = openInstance(store, clock)
    sample(recorder, start, 60, { [queries]: 1 })
    sample(recorder, start + 3 * minute, 60, { [queries]: 2 })
    await recorder.close()
    clock.at = start + 4 * minute
    const { mean, max, at, step } = await recorder.range({ from: start, to: start + 6 * minute, points: 6 })
    expect(step).toBe(minute)
    expect(at).toEqual([0, 1, 2, 3, 4, 5].map((i) => start + i * minute))
    expect(mean[queries]).toEqual([1, null, null, 2, null, null])
    expect(max[queries]).toEqual([1, null, null, 2, null, null])
    expect(mean[idle]).toEqual([null, null, null, null, null, null])
  })

  it('says of a range without readings since when there are any', async () => {
    const clock = new TestClock()
    const { recorder } = openInstance(await open(), clock)
    clock.at = start + 40 * minute
    const since = async (from: number, metric: MetricName) =>
      (await recorder.range({ from, to: from + 5 * minute, points: 5, metrics: [metric] })).since
    expect(await since(start, queries)).toBeNull()
    // Of the minute that is not over, too.
    sample(recorder, start + 30 * minute, 20, { [queries]: 1 })
    expect(await since(start, queries)).toBe(start + 30 * minute + 999)
    expect(await since(start, idle)).toBeNull()
    sample(recorder, start + 40 * minute, 1, { [queries]: 1 })
    await recorder.flush()
    expect(await since(start, queries)).toBe(start + 30 * minute + 999)
    expect(await since(start + 28 * minute, queries)).toBeNull()
  })

  it('answers the asked metrics alone', async () => {
    const store = await open()
    const { recorder } = openInstance(store, new TestClock())
    const range = await recorder.range({ from: start, to: start + hour, points: 10, metrics: [cpu, idle] })
    expect([Object.keys(range.mean), Object.keys(range.max)]).toEqual([
      [cpu, idle],
      [cpu, idle],
    ])
  })

  it('has no hole at the right edge, whatever the step', async () => {
    const store = await open()
    const clock = new TestClock()
    const { recorder } = openInstance(store, clock)
    for (let i = 0; i < 61; i++) sample(recorder, start + i * minute, 60, { [queries]: 3 })
    sample(recorder, start + 61 * minute, 5, { [queries]: 3 })
    await recorder.flush()
    clock.at = start + 61 * minute + 5_000
    for (const points of [2, 7, 62]) {
      const { mean } = await recorder.range({ from: start, to: clock.at, points, metrics: [queries] })
      expect(new Set(mean[queries])).toEqual(new Set([3]))
    }
  })

  it('keeps minutes while the store is away, and writes them when it is back', async () => {
    const store = await open()
    const clock = new TestClock()
    const { recorder, lines } = openInstance(store, clock)
    await rename(store, 'metric_rollups', 'metric_rollups_away')
    for (let i = 0; i < 45; i++) {
      sample(recorder, start + i * minute, 60, { [queries]: i })
      await recorder.flush()
    }
    await rename(store, 'metric_rollups_away', 'metric_rollups')
    expect(lines).toHaveLength(1)
    expect(await rowsOf(store, minute)).toBe(0)
    sample(recorder, start + 45 * minute, 1, {})
    await recorder.flush()
    expect([await rowsOf(store, minute), await rowsOf(store, 10 * minute)]).toEqual([45, 5])
    clock.at = start + 46 * minute
    const { mean } = await recorder.range({ from: start, to: start + 45 * minute, points: 45 })
    expect(mean[queries]).toEqual(Array.from({ length: 45 }, (_, i) => i))
  })

  it('keeps how long statements took beside, of every instance, through the longer steps', async () => {
    const store = await open()
    const clock = new TestClock()
    const one = openInstance(store, clock, 'one').recorder
    const two = openInstance(store, clock, 'two').recorder
    const fast = counted(0.3)
    const slow = counted(40)
    for (let i = 0; i < 12; i++) {
      one.add({ at: start + i * minute, values: nothing }, i === 3 ? [] : fast)
      one.add({ at: start + i * minute + 1_000, values: nothing }, fast)
      two.add({ at: start + i * minute, values: nothing }, slow)
    }
    // Of a release that did not measure it.
    const old = new Accumulator(start + 20 * minute, metricNames)
    old.add({ at: start + 20 * minute, values: { ...nothing, [queries]: 1 } })
    await store.run(writeRollups, { minutes: [old.rollup('old', minute)] })
    await Promise.all([one.close(), two.close()])
    clock.at = start + 40 * minute
    const whole = await one.queryTimes({ from: start, to: start + 30 * minute, points: 30 })
    expect(whole.step).toBe(minute)
    expect(whole.statements).toBe(35)
    expect([whole.bounds[0], whole.bounds.at(-1)]).toEqual([0.256, 65.536])
    const ends = (column: readonly number[] | null | undefined) => column && [column[0], column.at(-1)]
    expect(ends(whole.counts[2])).toEqual([2, 1])
    expect(ends(whole.counts[3])).toEqual([1, 1])
    expect(whole.counts.slice(12)).toEqual(whole.at.slice(12).map(() => null))
    const coarse = await one.queryTimes({ from: start, to: start + 30 * minute, points: 3 })
    expect(coarse.counts.map(ends)).toEqual([[19, 10], [4, 2], null])
  })

  it('makes up no statements for an instance whose minute is not written yet', async () => {
    const store = await open()
    const clock = new TestClock()
    const one = openInstance(store, clock, 'one').recorder
    const two = openInstance(store, clock, 'two').recorder
    for (const { recorder, times } of [
      { recorder: one, times: counted(0.3) },
      { recorder: two, times: counted(40) },
    ]) {
      for (let second = 0; second < 61; second++) {
        recorder.add({ at: start + (second + 1) * 1_000 - 1, values: { ...nothing, [queries]: 1 } }, times)
      }
      await recorder.flush()
    }
    clock.at = start + minute + 1_000
    const { counts, statements } = await one.queryTimes({ from: start, to: clock.at, points: 10 })
    expect(statements).toBe(121)
    expect([counts[1]?.[0], counts[1]?.at(-1)]).toEqual([1, 0])
  })

  it('writes a minute twice without counting it twice', async () => {
    const store = await open()
    const one = new Accumulator(start, metricNames)
    one.add({ at: start + 1_000, values: { ...nothing, [queries]: 8 } })
    const minutes = [one.rollup('one', minute)]
    await store.run(writeRollups, { minutes })
    await store.run(writeRollups, { minutes })
    const { metricRollups } = store.tables
    const rows = await store.db.select().from(metricRollups)
    expect(rows.map(({ step, samples }) => [step, samples]).sort()).toEqual(
      [
        [600_000, 1],
        [minute, 1],
        [hour, 1],
      ].sort(),
    )
  })

  it('still reads rows of a release with other metrics', async () => {
    const store = await open()
    const clock = new TestClock()
    const { recorder } = openInstance(store, clock)
    const old = new Accumulator(start, [cpu, 'holdfast_gone_metric' as MetricName])
    old.add({ at: start + 1_000, values: { ...nothing, [cpu]: 0.75 } })
    await store.run(writeRollups, { minutes: [old.rollup('old', minute)] })
    sample(recorder, start + minute, 60, { [cpu]: 0.25, [queries]: 9 })
    await recorder.close()
    const { mean } = await recorder.range({ from: start, to: start + 2 * minute, points: 2 })
    expect(mean[cpu]).toEqual([0.75, 0.25])
    expect(mean[queries]).toEqual([null, 9])
  })

  it('removes what is older than it is kept, in batches, and nothing else', async () => {
    const store = await open()
    const clock = new TestClock()
    const { recorder } = openInstance(store, clock)
    const minutes = Array.from({ length: 1_300 }, (_, i) => {
      const one = new Accumulator(start + i * minute, metricNames)
      one.add({ at: start + i * minute + 1, values: { ...nothing, [queries]: 1 } })
      return one.rollup('one', minute)
    })
    for (let i = 0; i < minutes.length; i += 100) {
      await store.run(writeRollups, { minutes: minutes.slice(i, i + 100) })
    }
    clock.at = start + 2 * day + 1_200 * minute
    expect(await store.run(cleanRollups, { step: minute, before: clock.at - 2 * day })).toBe(500)
    expect(await recorder.clean()).toBe(700)
    expect([
      await rowsOf(store, minute),
      await rowsOf(store, 10 * minute),
      await rowsOf(store, hour),
    ]).toEqual([100, 130, 22])
    clock.at = start + 31 * day + 1_300 * minute
    await recorder.clean()
    expect([await rowsOf(store, minute), await rowsOf(store, hour)]).toEqual([0, 0])
  })
})

/** A store that fails to write history: its table has another name for a while. */
async function rename(store: Store, from: string, to: string): Promise<void> {
  const statement = sql.raw(`ALTER TABLE ${from} RENAME TO ${to}`)
  if (store.dialect === 'postgresql') await store.db.execute(statement)
  else await (store.db as unknown as { run(query: SQL): PromiseLike<unknown> }).run(statement)
}
