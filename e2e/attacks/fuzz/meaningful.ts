interface Places {
  /** The PostgreSQL server. */
  place: { host: string; port: string; user: string; password: string }
  /** A database to migrate to. */
  database: string
  /** A SQLite file to migrate. */
  source: string
  /** Where webhooks arrive. */
  url: string
}

const passwords = ['a fox, a kettle and a drum', 'seven grey geese over water', 'the lamp stands on a barrel']

/**
 * Values by the name of their field, or of procedure and field, where a schema says less than the parser asks for: an
 * address, a password that is good enough. Servers are those of this machine, since their names would be looked up;
 * sessions of PostgreSQL are left to chance, since they may belong to other tests.
 */
export function meaningful({ place, database, source, url }: Places): Record<string, unknown[]> {
  const later = [Date.UTC(2090, 0), null]
  return {
    host: ['127.0.0.1', place.host],
    port: [Number(place.port), 1],
    database: [database, 'nothing'],
    user: [place.user],
    password: [place.password, ...passwords],
    ...Object.fromEntries(
      ['auth.setUp', 'auth.useLink', 'account.changePassword'].map((name) => [`${name}.password`, passwords]),
    ),
    url: [url, 'http://127.0.0.1:1/'],
    headers: [[{ name: 'X-Shop', value: 'orders' }], []],
    network: ['203.0.113.7', '198.51.100.0/24', '2001:db8::1', '2001:db8::/48', '192.0.2.77'],
    address: ['203.0.113.7', '10.0.0.0/8', '2001:db8::1'],
    'security.events.report.address': ['203.0.113.7', '2001:db8::1'],
    'security.events.report.time': [Date.now()],
    'security.trusted.add.expiresAt': later,
    'database.maintain.what': ['analyze'],
    path: [source],
    schema: ['public', 'fuzz'],
    action: ['cache.clear'],
    events: [['authn_login_fail', 'authz_*'], 'authn_*', 'migration_run_planned,user_created'],
    'security.events.report.events': [],
    outcomes: [['failure'], 'success,denied'],
    severities: [['low', 'high'], 'critical'],
    before: [],
  }
}
