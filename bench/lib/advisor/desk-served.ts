import { type Labelled, none } from './work'

/** Statements of the help desk that want no index: what is there serves them, or none could. */
export const DESK_SERVED: Labelled[] = [
  none(
    'person by address in any case',
    { requesters: ['email', 'banned_at', 'id'] },
    'SELECT id, org_id, locale FROM requesters WHERE lower(email) = lower($1) AND banned_at IS NULL',
    [['PERSON77@example.net']],
    80_000,
  ),
  none(
    'ticket by number',
    { tickets: ['id', 'tenant_id'] },
    'select * from "tickets" where "tickets"."id" = $1 and "tickets"."tenant_id" = $2 limit 1',
    [[77_777, 3]],
    400_000,
  ),
  none(
    'tickets of a tenant this week',
    { tickets: ['tenant_id', 'created_at', 'state', 'priority'] },
    "SELECT id, subject, state, priority FROM tickets WHERE tenant_id = $1 AND created_at >= now() - interval '7 days'",
    [[1], [120]],
  ),
  none(
    'newest tickets of a tenant',
    { tickets: ['tenant_id', 'created_at', 'subject'] },
    'SELECT id, subject, created_at FROM tickets WHERE tenant_id = $1 ORDER BY created_at DESC LIMIT 50',
    [[1], [400]],
    60_000,
  ),
  none(
    'report by state and priority',
    { tickets: ['state', 'priority', 'created_at', 'solved_at'] },
    'SELECT state, priority, count(*), avg(solved_at - created_at) FROM tickets GROUP BY state, priority',
  ),
  none(
    'tickets with a word in their subject',
    { tickets: ['subject', 'id', 'state', 'updated_at'] },
    'SELECT id, subject, state, updated_at FROM tickets WHERE subject ILIKE $1',
    [['%abc1%']],
  ),
  none('team by name', { teams: ['name', 'id'] }, 'SELECT * FROM teams WHERE name = $1', [['Team 7']]),
  none(
    'close a ticket',
    { tickets: ['id', 'state', 'updated_at'] },
    "UPDATE tickets SET state = 'closed', updated_at = now() WHERE id = $1",
    [[77_777]],
    30_000,
  ),
  none(
    'take a tag off',
    { ticket_tags: ['ticket_id', 'tag_id'] },
    'DELETE FROM ticket_tags WHERE ticket_id = $1 AND tag_id = $2',
    [[77_777, 5]],
  ),
  none(
    'finished jobs by queue',
    { jobs: ['state', 'queue', 'attempts', 'finished_at'] },
    "SELECT queue, count(*), avg(attempts), max(finished_at) FROM jobs WHERE state = 'done' GROUP BY queue",
  ),
  none(
    'public messages of a ticket',
    { messages: ['ticket_id', 'internal', 'sent_at'] },
    'SELECT id, body, sent_at FROM messages WHERE ticket_id = $1 AND NOT internal ORDER BY sent_at',
    [[77_777]],
    90_000,
  ),
  none(
    'last message of each of some tickets',
    { messages: ['ticket_id', 'sent_at'], tickets: ['id'] },
    'SELECT t.id, m.sent_at FROM tickets t CROSS JOIN LATERAL (SELECT sent_at FROM messages WHERE ticket_id = t.id ORDER BY sent_at DESC LIMIT 1) m WHERE t.id = ANY($1::bigint[])',
    [[[5, 500, 50_000, 500_000]]],
  ),
  none(
    'hourly averages of a device',
    { readings: ['device_id', 'metric', 'at', 'value'] },
    "SELECT date_trunc('hour', at) AS hour, avg(value) FROM readings WHERE device_id = $1 AND metric = $2 AND at >= now() - interval '20 days' GROUP BY 1 ORDER BY 1",
    [[1500, 'humidity']],
  ),
  none(
    'last value of each metric of a device',
    { readings: ['device_id', 'metric', 'at'] },
    'SELECT DISTINCT ON (metric) metric, at, value FROM readings WHERE device_id = $1 ORDER BY metric, at DESC',
    [[1500]],
    50_000,
  ),
  none(
    'keep a reading',
    { readings: ['device_id', 'metric', 'at'] },
    "INSERT INTO readings (device_id, metric, at, value) VALUES ($1, 'voltage', now(), $2) ON CONFLICT (device_id, metric, at) DO UPDATE SET value = excluded.value",
    [[1500, 11.5]],
    900_000,
  ),
  none(
    'urgent people of a tenant',
    { tickets: ['tenant_id', 'created_at', 'priority', 'requester_id'], requesters: ['id'] },
    "SELECT id, email FROM requesters WHERE id IN (SELECT requester_id FROM tickets WHERE tenant_id = $1 AND priority >= 3 AND created_at >= now() - interval '2 days')",
    [[1], [120]],
  ),
  none(
    'messages after a number',
    { messages: ['id', 'ticket_id', 'author_id'] },
    'SELECT id, ticket_id, author_id, body FROM messages WHERE id > $1 ORDER BY id LIMIT 1000',
    [[700_000]],
  ),
  none(
    'how late each tenant is',
    { tickets: ['tenant_id', 'created_at', 'due_at', 'updated_at'] },
    "SELECT tenant_id, count(*), max(updated_at) FROM tickets WHERE updated_at + interval '1 hour' > created_at GROUP BY tenant_id",
  ),
  none(
    'who writes how much',
    { messages: ['author_id', 'internal', 'sent_at', 'ticket_id'] },
    'SELECT internal, count(DISTINCT author_id), count(DISTINCT ticket_id), max(sent_at) FROM messages WHERE author_id <> 0 GROUP BY internal',
  ),
]
