/**
 * What `npm run bench` and `npm run chaos` measure: for each a sentence, programs and packages whose version counts,
 * whether it takes the built console, and its figures in the order of the page: [what it means, its bar].
 */
export const MEASUREMENTS = {
  bench: {
    advisor: {
      what: 'Index advice for labelled statements of two applications, one of which was never used to tune it.',
      with: ['PostgreSQL'],
      figures: {
        statements: ['statements, each proved by timing'],
        agreed: ['share that gets the right advice, in the worst set and by the worse method', '≥ 0.95'],
        harmful: ['pieces of advice that slow a statement or write by more than a tenth', '0'],
        together: ['statements and writes that all advice at once slows so; no verdict (decision 13)'],
        together_of: ['statements and writes in all'],
        together_worst: ['times the one takes that is slowed most'],
      },
    },
    auth: {
      what: 'What authentication costs. The console on SQLite.',
      console: true,
      figures: {
        guarded: ['rate of `auth.me`, as a share of that of a query which anybody may ask'],
        verify_us: ['CPU time to verify an access token that was never seen, µs'],
        verify_seen_us: ['the same for one that was seen, µs'],
        others_p99_ms: ['p99 of other calls while 20 clients sign in without pause, ms'],
      },
    },
    cache: {
      what: '64 callers on one Redis, the local level off; ratios of operations a second.',
      with: ['Redis', 'ioredis', 'bentocache', 'cache-manager', '@keyv/redis'],
      figures: {
        get_100: ['gets of 100 B beside plain ioredis with JSON', '≥ 1'],
        set_100: ['sets of 100 B', '≥ 1'],
        mget_100: ['20 gets together, 100 B each', '≥ 0.9'],
        get_2k: ['gets of 2 KB', '≥ 1'],
        set_2k: ['sets of 2 KB', '≥ 1'],
        mget_2k: ['20 gets together, 2 KB each', '≥ 0.9'],
        get_vs_bento: ['gets beside bentocache, the worse of both sizes', '≥ 2'],
        set_vs_bento: ['sets beside bentocache', '≥ 2'],
        mget_vs_bento: ['20 gets together beside bentocache', '≥ 8'],
        local_vs_bento: ['hits of the local level beside those of bentocache’s', '≥ 10'],
        bytes_2k: ['bytes in Redis as a share of the JSON, 2 KB', '≤ 0.6'],
        bytes_50k: ['the same, 50 KB', '≤ 0.4'],
        loop_ms: ['longest that 5 MB through the cache hold up the event loop, ms', '≤ 20'],
      },
    },
    'cache-workload': {
      what: 'Five minutes of 2,000 calls a second by Zipf’s law over 100,000 keys, on a cluster with memory for 30 % of them.',
      with: ['Redis', 'ioredis'],
      figures: {
        hit_ratio: ['share of reads answered from the cache, which begins empty', '≥ 0.85'],
        stale: ['reads that got a value older than an invalidation before them', '0'],
      },
    },
    database: {
      what: 'The database layer and pg’s own pool in turn, 8 connections each; ratios.',
      with: ['PostgreSQL', 'pg'],
      figures: {
        reads_c8: ['reads a second by 8 callers'],
        reads_c64: ['reads a second by 64 callers', '≥ 1.5'],
        reads_cpu_c64: ['CPU time of a read, 64 callers', '≤ 0.7'],
        transactions: ['transactions a second, the worse of 8 and 64 callers', '≥ 0.95'],
        errors: ['inserts that fail beside inserts that succeed, a second', '≥ 0.5'],
        mixed_p99: ['p99 of short statements among long ones, the worse of 8 and 64 callers'],
        vs_connection_per_query: ['reads a second beside a new connection for each'],
        metrics_cost: ['share of the throughput that measuring takes'],
      },
    },
    events: {
      what: 'Ten million audit events on PostgreSQL.',
      with: ['PostgreSQL'],
      figures: {
        p95_ms: ['p95 of first pages of 50 over all sets of filters, ms', '≤ 50'],
        histogram_ms: ['the slowest histogram, ms', '≤ 150'],
        export_per_s: ['events exported a second, the slower of NDJSON and CSV', '≥ 50000'],
        export_mb: ['memory that an export of a million takes at most, MB', '≤ 50'],
        rule_us: ['CPU time that all rules take for an event, µs', '≤ 50'],
        ingest_per_s: ['events appended a second by 4 writers, chained and signed', '≥ 10000'],
      },
    },
    live: {
      what: '1,000 event streams of 50 sessions on one console.',
      console: true,
      figures: {
        age_p99_ms: ['p99 of the age of values on arrival, ms', '≤ 300'],
        core: ['share of one core', '≤ 0.6'],
        kb_per_stream: ['memory for each stream, KB', '≤ 120'],
      },
    },
    migrate: {
      what: 'pgloader, Holdfast, and two `psql` that load rows rendered beforehand, in turn on one file; the worst of three cases: a shop, ten million narrow rows, rows of 1 KB.',
      with: ['PostgreSQL', 'pgloader'],
      figures: {
        transfer_vs_pgloader: ['speed of the transfer beside pgloader’s', '≥ 10'],
        whole_vs_pgloader: [
          'speed of the whole run, indexes and validation included, beside pgloader’s',
          '≥ 4',
        ],
        transfer_vs_copy: ['speed of the transfer beside COPY of rendered rows', '≥ 0.8'],
        rss_mb: ['memory of the run’s processes together, MB', '≤ 256'],
        validate_vs_transfer: ['time of the validation as a share of the transfer’s', '≤ 0.5'],
      },
    },
    'migrate-console': {
      what: 'Queries to the console while it migrates a shop into a PostgreSQL on the same machine.',
      console: true,
      with: ['PostgreSQL'],
      figures: { p99_ms: ['p99 of the queries, ms', '≤ 100'] },
    },
    serve: {
      what: 'Queries to the console on SQLite by 32 connections, beside a bare Next that answers the same JSON and checks nothing.',
      console: true,
      with: ['next'],
      figures: {
        batch: ['answers a second, five queries in a batch, beside the bare handler', '≥ 0.6'],
        single: ['the same, one query each', '≥ 0.7'],
        rest: ['the same over REST', '≥ 0.6'],
        p99_ms: ['p99 at 200 requests a second, ms', '≤ 50'],
        cold_start_s: ['from the start of the process to its first answer, s', '≤ 2'],
        rss_mb: ['memory when idle, MB', '≤ 250'],
      },
    },
    switchover: {
      what: 'The console’s own store moves to PostgreSQL and back while 20 clients make 200 writes a second.',
      console: true,
      with: ['PostgreSQL'],
      figures: {
        failed: ['writes that were not answered with 200', '0'],
        lost: ['acknowledged writes that are gone', '0'],
        longest_ms: ['the longest write, ms', '≤ 1000'],
      },
    },
    web: {
      what: 'Every page in a browser with an empty cache; the console on SQLite.',
      console: true,
      with: ['Chromium'],
      figures: {
        signin_kb: ['script of the sign-in page, compressed, KB', '≤ 165'],
        page_kb: ['of the heaviest page without charts, KB', '≤ 230'],
        charts_kb: ['of the heaviest page with charts, KB', '≤ 340'],
        lighthouse_min: [
          'the least of Lighthouse’s scores: performance, accessibility, best practices',
          '≥ 95',
        ],
        tick_ms: [
          'script of a live tick, the costliest of the overview, the cache and the database’s charts of an hour, ms',
          '≤ 16',
        ],
        lcp_ms: ['largest contentful paint of the slowest page, ms', '≤ 1200'],
        tbt_ms: ['total blocking time, ms', '≤ 200'],
        cls: ['cumulative layout shift', '≤ 0.02'],
        inp_ms: ['interaction to next paint, ms', '≤ 150'],
        requests: ['requests of a first load', '≤ 25'],
      },
    },
  },
  chaos: {
    audit: {
      what: 'A superuser tampers with the audit log of 8 processes, once a round.',
      with: ['PostgreSQL'],
      figures: {
        rounds: ['rounds of faults'],
        missed: ['tamperings not named rightly', '0'],
        false: ['alarms where nothing was changed', '0'],
      },
    },
    cache: {
      what: 'Redis and a cluster are killed, hung, filled and made read-only under load.',
      with: ['Redis', 'ioredis'],
      figures: {
        rounds: ['rounds of faults'],
        thrown: ['calls that threw', '0'],
        p99_ms: ['p99 of calls during the faults, ms', '≤ 50'],
        recovered: ['rounds after which Redis was used again within 15 s', 'rounds'],
        resurrected: ['old values that came back', '0'],
      },
    },
    database: {
      what: 'The primary is killed under load, its synchronous replica promoted, and the old one comes back.',
      with: ['PostgreSQL'],
      figures: {
        rounds: ['rounds of faults'],
        lost: ['acknowledged writes that are gone', '0'],
        wrong_reads: ['reads that did not show what their session wrote', '0'],
        read_errors: ['share of reads that failed', '≤ 0.001'],
        writes_back_ms: ['from the promotion to the first write, worst round, ms', '≤ 3000'],
      },
    },
    instances: {
      what: 'Three consoles behind haproxy; one is killed, hung or ended each round.',
      console: true,
      with: ['PostgreSQL', 'Redis', 'haproxy'],
      figures: {
        rounds: ['rounds of faults'],
        failed: ['requests that failed twice', '0'],
        lost: ['acknowledged writes that are gone', '0'],
        doubled: ['writes and alerts that are there twice', '0'],
      },
    },
    migrate: {
      what: 'Migrations whose processes, connections and server are killed while the source is written to.',
      with: ['PostgreSQL'],
      figures: {
        rounds: ['rounds of faults'],
        lost: ['rows missing or wrong in the target', '0'],
        doubled: ['rows there too often', '0'],
        stuck: ['runs without an end', '0'],
      },
    },
    sessions: {
      what: '2, 10 and 50 refreshes of one token at once, by three processes on PostgreSQL and one on SQLite.',
      with: ['PostgreSQL'],
      figures: {
        rounds: ['rounds'],
        lost: ['rounds with another number of successors than one', '0'],
      },
    },
    upgrade: {
      what: 'Three consoles of the previous release behind haproxy, replaced one by one under load.',
      console: true,
      with: ['PostgreSQL', 'Redis', 'haproxy'],
      figures: {
        rounds: ['rounds of faults'],
        failed: ['requests sent again, streams and sessions that did not go on', '0'],
        lost: ['acknowledged writes that are gone', '0'],
      },
    },
  },
}
