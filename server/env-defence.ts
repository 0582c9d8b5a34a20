import { z } from 'zod'
import { networks, rate, rates, spans, text } from './env-values'
import { variable } from './env-variable'

/** What Holdfast reads about limits, the audit log and threats. */
export const defenceVariables = {
  DB_OWNER_USER: variable(
    text().optional(),
    'a role name',
    'Role that owns the tables of the store and changes its schema; DB_USER may then only add to the audit log',
  ),
  DB_OWNER_PASSWORD: variable(z.string().optional(), 'a password', 'Password of DB_OWNER_USER', {
    secret: true,
  }),
  OUTBOUND_ALLOW: variable(
    networks().default([]),
    'addresses or networks (10.0.0.0/8), separated by commas',
    'Inner networks that webhooks and mail may be sent to; without it, servers on the internet alone',
  ),
  GEOIP_MMDB: variable(
    text().optional(),
    'a path',
    'File in MaxMind’s MMDB format that tells where addresses are; without it impossible travel is not watched',
  ),
  AUDIT_CHECKPOINT_DIR: variable(
    text().optional(),
    'a folder',
    'Folder of the audit log’s signed checkpoints; best on another disk than the store’s',
    { shown: 'audit in the data folder' },
  ),
  RATE_LIMIT_ADDRESS: variable(
    rate().default({ most: 6_000, windowMs: 60_000 }),
    'calls in a time such as 6000/1m, or off',
    'Calls from one address (IPv6: one /64), whoever is signed in',
    { shown: '6000/1m' },
  ),
  RATE_LIMIT_USER: variable(
    rate().default({ most: 3_000, windowMs: 60_000 }),
    'calls in a time such as 3000/1m, or off',
    'Calls of one signed-in user, or by one API key, from everywhere',
    { shown: '3000/1m' },
  ),
  RATE_LIMIT_ENDPOINTS: variable(
    rates().default({}),
    'procedures with their limits, such as auth.signIn=30/1m,cache.clear=off',
    'Calls of one procedure by one user, or from one address where nobody is signed in; those of sign-in have 30/1m',
  ),
  BLOCK_AFTER: variable(
    rate().default({ most: 50, windowMs: 600_000 }),
    'refusals in a time such as 50/10m, or off',
    'Calls that limits refuse an address before it is blocked',
    { shown: '50/10m' },
  ),
  BLOCK_DURATIONS: variable(
    spans().default([900_000, 3_600_000, 86_400_000]),
    'time spans such as 15m,1h,24h',
    'How long an address is blocked the first time, the second, and every time after the last',
    { shown: '15m,1h,24h' },
  ),
}
