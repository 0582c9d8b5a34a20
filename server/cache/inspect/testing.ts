import { waitUntil } from '@/db/testing/processes'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { openRedisLevel, type Place } from '../redis'
import type { RedisControl } from '../redis/types'

/** The control of a Redis level for tests, once the level is at rest; with `limited` rights, once it knows its nodes. */
export async function openTestControl(
  place: Place,
  { limited = false }: { limited?: boolean } = {},
): Promise<{ control: RedisControl; close: () => Promise<void> }> {
  const events = { stateChanged: () => undefined, changed: () => undefined }
  const level = openRedisLevel({ clock: systemClock, log: openLog('error'), events }, place, {
    prefix: 'holdfast:',
    deadline: 1_000,
    tracking: false,
  })
  const control = level.control()
  await waitUntil('the nodes to be known', async () => {
    await control.nodes('masters')
    return limited || level.figures().state === 'redis'
  })
  return { control, close: () => level.close() }
}
