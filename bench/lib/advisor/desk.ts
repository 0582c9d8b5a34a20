import { DESK_INDEXED } from './desk-indexed'
import { DESK_SERVED } from './desk-served'
import type { Work } from './work'

const ROWS = {
  teams: 12,
  agents: 400,
  requesters: 1_000_000,
  tickets: 1_200_000,
  messages: 1_500_000,
  ticket_tags: 1_500_000,
  jobs: 1_000_000,
  readings: 1_500_000,
}

const SCHEMA = `
CREATE TYPE ticket_state AS ENUM ('new', 'open', 'waiting', 'solved', 'closed');
CREATE TABLE teams (id smallint PRIMARY KEY, name text NOT NULL, region text NOT NULL);
CREATE TABLE agents (
  id int PRIMARY KEY, team_id smallint NOT NULL REFERENCES teams, email text NOT NULL UNIQUE, active boolean NOT NULL
);
CREATE TABLE requesters (
  id bigint PRIMARY KEY, org_id int, email varchar(120) NOT NULL, phone varchar(40), locale char(2) NOT NULL,
  created_at timestamptz NOT NULL, banned_at timestamptz
);
CREATE TABLE tickets (
  id bigint PRIMARY KEY, tenant_id int NOT NULL, requester_id bigint NOT NULL, assignee_id int, team_id smallint NOT NULL,
  state ticket_state NOT NULL, priority smallint NOT NULL, subject text NOT NULL, custom jsonb NOT NULL,
  external_id varchar(24), merged_into bigint, due_at timestamptz NOT NULL, solved_at timestamptz,
  created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL
);
CREATE TABLE messages (
  id bigint PRIMARY KEY, ticket_id bigint NOT NULL, author_id bigint NOT NULL, internal boolean NOT NULL,
  body text NOT NULL, mail_id text, sent_at timestamptz NOT NULL, bounced_at timestamptz
);
CREATE TABLE ticket_tags (ticket_id bigint NOT NULL, tag_id int NOT NULL, PRIMARY KEY (ticket_id, tag_id));
CREATE TABLE jobs (
  id bigint PRIMARY KEY, queue text NOT NULL, state text NOT NULL, attempts smallint NOT NULL, payload text NOT NULL,
  run_at timestamptz NOT NULL, finished_at timestamptz, locked_by text
);
CREATE TABLE readings (
  device_id int NOT NULL, metric text NOT NULL, at timestamptz NOT NULL, value double precision NOT NULL,
  PRIMARY KEY (device_id, metric, at)
);`

const FILL = `
SELECT setseed(0.17);
INSERT INTO teams SELECT i, 'Team ' || i, CASE WHEN i % 3 = 0 THEN 'EMEA' ELSE 'AMER' END
  FROM generate_series(1, ${ROWS.teams}) i;
INSERT INTO agents SELECT i, 1 + i % ${ROWS.teams}, 'agent' || i || '@desk.example', i % 9 > 0
  FROM generate_series(1, ${ROWS.agents}) i;
INSERT INTO requesters
SELECT i, CASE WHEN a < 0.7 THEN 1 + (power(b, 2) * 20000)::int END, 'Person' || i || '@example.net',
       CASE WHEN c < 0.6 THEN '+49 (' || (100 + (a * 800)::int) || ') ' || lpad(i::text, 7, '0') END,
       (ARRAY['en','en','en','de','de','fr','es','it'])[1 + (c * 8)::int % 8],
       now() - (${ROWS.requesters} - i) * interval '2 minutes',
       CASE WHEN a BETWEEN 0.5 AND 0.502 THEN now() - b * interval '300 days' END
  FROM (SELECT i, random() a, random() b, random() c FROM generate_series(1, ${ROWS.requesters}) i) s;
INSERT INTO tickets
SELECT i, 1 + (power(a, 3) * 799)::int, 1 + (power(b, 2) * 999999)::int,
       CASE WHEN state = 'new' AND c < 0.8 THEN NULL ELSE 1 + (power(c, 2) * 399)::int END,
       1 + (d * 11)::int, state, 1 + (power(b, 2) * 3)::int, 'Case ' || i || ' about ' || substr(md5(i::text), 1, 12),
       jsonb_build_object('serial', 'SN' || substr(md5('s' || i), 1, 10), 'tier', (ARRAY['free','pro','max'])[1 + (d * 3)::int % 3]),
       CASE WHEN d > 0.4 THEN 'X-' || substr(md5('e' || i), 1, 12) END,
       CASE WHEN a BETWEEN 0.6 AND 0.63 THEN 1 + (b * i)::int END,
       created + (1 + c * 6) * interval '1 day',
       CASE WHEN state IN ('solved', 'closed') THEN created + c * interval '5 days' END,
       created, least(now(), created + c * interval '9 days')
  FROM (SELECT i, a, b, c, d, now() - (${ROWS.tickets} - i) * interval '40 seconds' AS created,
               (CASE WHEN i < ${ROWS.tickets} * 0.97 THEN CASE WHEN s < 0.005 THEN 'waiting' WHEN s < 0.03 THEN 'solved' ELSE 'closed' END
                     WHEN s < 0.1 THEN 'new' WHEN s < 0.45 THEN 'open' WHEN s < 0.6 THEN 'waiting' ELSE 'solved' END)::ticket_state AS state
          FROM (SELECT i, random() a, random() b, random() c, random() d, random() s
                  FROM generate_series(1, ${ROWS.tickets}) i) x) y;
INSERT INTO messages
SELECT i, 1 + ((i - 1) * 4) / 5, CASE WHEN a < 0.5 THEN 2000000 + (power(b, 2) * 399)::int ELSE 1 + (b * 999999)::int END,
       a < 0.15, repeat(md5(i::text), 2), CASE WHEN a >= 0.15 THEN '<' || md5('m' || i) || '@mail>' END,
       now() - (${ROWS.messages} - i) * interval '32 seconds',
       CASE WHEN b BETWEEN 0.4 AND 0.404 THEN now() - (${ROWS.messages} - i) * interval '32 seconds' + a * interval '1 hour' END
  FROM (SELECT i, random() a, random() b FROM generate_series(1, ${ROWS.messages}) i) s;
INSERT INTO ticket_tags
SELECT 1 + ((i - 1) / 3) * 2, 1 + (i % 3) * 1000 + (power(random(), 3) * 999)::int
  FROM generate_series(1, ${ROWS.ticket_tags}) i;
INSERT INTO jobs
SELECT i, (ARRAY['mail','mail','mail','webhook','export'])[1 + (a * 5)::int % 5],
       CASE WHEN i > ${ROWS.jobs} - 6000 THEN CASE WHEN b < 0.1 THEN 'running' ELSE 'ready' END
            WHEN b < 0.006 THEN 'failed' ELSE 'done' END,
       (a * 3)::int, md5(i::text) || md5('p' || i), run_at,
       CASE WHEN i <= ${ROWS.jobs} - 6000 THEN run_at + a * interval '1 minute' END,
       CASE WHEN i > ${ROWS.jobs} - 6000 AND b < 0.1 THEN 'worker-' || (a * 20)::int END
  FROM (SELECT i, random() a, random() b, now() - (${ROWS.jobs} - 3000 - i) * interval '9 seconds' AS run_at
          FROM generate_series(1, ${ROWS.jobs}) i) s;
INSERT INTO readings
SELECT 1 + i % 3000, (ARRAY['temperature','humidity','voltage','rssi'])[1 + (i / 3000) % 4],
       now() - (${ROWS.readings} - i) * interval '4 seconds', 60 * random() + 40 * power(random(), 6)
  FROM generate_series(1, ${ROWS.readings}) i;`

const INDEXES = `
CREATE UNIQUE INDEX requesters_email ON requesters (lower(email));
CREATE INDEX tickets_tenant_created ON tickets (tenant_id, created_at);
CREATE INDEX messages_ticket ON messages (ticket_id);`

const WRITES: Work['writes'] = {
  requesters: {
    key: 'id',
    texts: [
      `INSERT INTO requesters (id, org_id, email, phone, locale, created_at)
       VALUES ($1, 1 + $1 % 20000, 'New' || $1 || '@example.net', '+49 (30) ' || $1, 'de', now())`,
      `UPDATE requesters SET locale = 'fr' WHERE id = $1`,
    ],
  },
  tickets: {
    key: 'id',
    texts: [
      `INSERT INTO tickets (id, tenant_id, requester_id, team_id, state, priority, subject, custom, external_id, due_at, created_at, updated_at)
       VALUES ($1, 1 + $1 % 800, 1 + $1 % 900000, 1 + $1 % 12, 'new', 2, 'Case ' || $1, jsonb_build_object('serial', 'SN' || $1),
               'X-' || $1, now() + interval '2 days', now(), now())`,
      `UPDATE tickets SET state = 'open', assignee_id = 1 + $1 % 400, updated_at = now() WHERE id = $1`,
      `UPDATE tickets SET state = 'solved', solved_at = now(), updated_at = now() WHERE id = $1`,
    ],
  },
  messages: {
    key: 'id',
    texts: [
      `INSERT INTO messages (id, ticket_id, author_id, internal, body, mail_id, sent_at)
       VALUES ($1, 1 + $1 % 1000000, 1 + $1 % 900000, false, md5($1::text), '<' || $1 || '@mail>', now())`,
    ],
  },
  ticket_tags: {
    key: 'ticket_id',
    texts: ['INSERT INTO ticket_tags (ticket_id, tag_id) VALUES ($1, 1 + $1 % 3000)'],
  },
  jobs: {
    key: 'id',
    texts: [
      `INSERT INTO jobs (id, queue, state, attempts, payload, run_at) VALUES ($1, 'mail', 'ready', 0, md5($1::text), now())`,
      `UPDATE jobs SET state = 'running', locked_by = 'worker-3' WHERE id = $1`,
      `UPDATE jobs SET state = 'done', locked_by = NULL, finished_at = now() WHERE id = $1`,
    ],
  },
  readings: {
    key: 'device_id',
    texts: [`INSERT INTO readings (device_id, metric, at, value) VALUES ($1, 'voltage', now(), 12.5)`],
  },
}

/**
 * A help desk with many tenants, its queue of jobs and the telemetry of its devices: enums, JSON, nulls, expressions,
 * statements as mappers write them. Labelled before the advisor was asked, and never used to tune it.
 */
export const DESK: Work = {
  name: 'desk',
  rows: ROWS,
  schema: SCHEMA,
  fill: FILL,
  indexes: INDEXES,
  statements: [...DESK_INDEXED, ...DESK_SERVED],
  writes: WRITES,
}
