package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/usher-id/usher/internal/directory"
)

// The shards of counters and pools on PostgreSQL.
const (
	counterShards = 16
	// smallPool is the number of seats below which one row is enough, and
	// gives the last seat without asking sixteen.
	smallPool = 64
)

// connectWithin is how long each host may take to let a connection in, unless the
// connection string says so (connect_timeout): a machine that is gone without a word
// must not keep whoever looks for another one.
const connectWithin = 3 * time.Second

// postgresDB is the PostgreSQL engine. It keeps nothing that another process
// needs: any number of them work on one database.
type postgresDB struct {
	pool    *sql.DB
	numbers *numberBlocks
	opts    Options
	engine  *engine
	sealing *postgresSealing
}

func newPostgresEngine(numbers numberSource) *engine {
	return &engine{
		name:         "postgres",
		lock:         " FOR UPDATE",
		share:        " FOR SHARE",
		stay:         " FOR KEY SHARE",
		claim:        " FOR UPDATE SKIP LOCKED",
		anyOfNumbers: numbersInArray,
		anyOfTexts:   textsInArray,
		instr:        "strpos",
		branch:       orderedBranch,
		undoPart:     undoPart,
		extra:        extraByOperators,
		hasExtras:    hasExtrasByOperators,
		anyPhone:     phoneByRows,
		unsealed:     unsealedApart,
		searchKey:    "s.rid",
		searchMatch:  matchTrigrams,
		indexSearch:  indexTrigrams,
		addSearch:    copyTrigrams,
		dropSearch:   dropTrigrams,
		moveListed:   moveListedTogether,
		loadRows:     copyRows,
		loadedAtOnce: directory.MaxLoad,
		writeEvents:  writeNewEvents,
		eraseUnsealed: []string{
			"UPDATE events_new SET " + noContents + " WHERE tenant = $1 AND number = $2",
			"UPDATE events SET " + noContents + " WHERE tenant = $1 AND number = $2 AND position IS NULL"},
		shred: func() {}, // dead rows go with VACUUM
		shard: func() int64 { return rand.Int64N(counterShards) },
		poolShards: func(total int64) int64 {
			if total < smallPool {
				return 1
			}
			return counterShards
		},
		numbers: numbers,
	}
}

// postgresConfig reads a DSN. Of several hosts only the one that takes writes
// is used, so that every process finds a promoted standby by itself.
func postgresConfig(database string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(database)
	if err != nil {
		return nil, err
	}
	if len(config.Fallbacks) > 0 && config.ValidateConnect == nil {
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectWithin
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "usher"
	}
	return config, nil
}

func openPostgres(ctx context.Context, database string, o Options) (*DB, error) {
	config, err := postgresConfig(database)
	if err != nil {
		return nil, err
	}
	size := max(o.Readers, 16)
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	// Numbers are drawn while a transaction holds a connection: from the same
	// pool, transactions could wait for each other's connections for ever.
	draws := stdlib.OpenDB(*config)
	draws.SetMaxOpenConns(2)
	draws.SetConnMaxIdleTime(5 * time.Minute)

	numbers := newNumberBlocks(draws)
	numbers.patience = o.Patience
	db := &postgresDB{pool: pool, numbers: numbers, opts: o, engine: newPostgresEngine(numbers), sealing: newPostgresSealing()}
	have, err := postgresVersion(ctx, pool)
	if err == nil {
		err = checkVersion(have, latestMigration("postgres"))
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if o.ReadOnly {
		return &DB{Store: readOnly{db}, engine: db.engine}, nil
	}
	return &DB{Store: db, engine: db.engine}, nil
}

// postgresVersion is the number of the last migration of a database; 0 for an
// empty one.
func postgresVersion(ctx context.Context, pool *sql.DB) (int64, error) {
	var table sql.NullString
	if err := pool.QueryRowContext(ctx, "SELECT to_regclass('"+versionTable+"')::text").Scan(&table); err != nil || !table.Valid {
		return 0, err
	}
	var version sql.NullInt64
	err := pool.QueryRowContext(ctx, "SELECT max(version_id) FROM "+versionTable).Scan(&version)
	return version.Int64, err
}

// migratePostgres migrates under goose's advisory lock. It works through
// PgBouncer only in session mode, because of that lock.
func migratePostgres(ctx context.Context, database string, _ Options) error {
	config, err := postgresConfig(database)
	if err != nil {
		return err
	}
	pool := stdlib.OpenDB(*config)
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return errors.Join(err, pool.Close())
	}
	err = runMigrations(ctx, goose.DialectPostgres, pool, "postgres", goose.WithSessionLocker(locker))
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && strings.Contains(e.Message, "create extension") {
		err = fmt.Errorf("%w: usher needs the extensions pg_trgm and btree_gin (Debian: part of package postgresql); "+
			"let a role that may create them run CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gin in this database, then try again", err)
	}
	return errors.Join(err, pool.Close())
}

// Read implements directory.Store.
func (db *postgresDB) Read(ctx context.Context, fn func(directory.Reader) error) error {
	return fn(&reader{e: db.engine, q: sqlQuerier{run: db.pool, within: db.opts.Patience}})
}

// View implements directory.Store.
func (db *postgresDB) View(ctx context.Context, fn func(directory.Reader) error) error {
	end, guard := endAfter(ctx, db.opts.Patience)
	conn, err := db.pool.Conn(end)
	guard.stop()
	if err != nil {
		return wait(ctx, err)
	}
	defer conn.Close() // back to the pool
	end, guard = steady(ctx, db.opts.Patience)
	defer guard.stop()
	t, err := conn.BeginTx(end, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return wait(ctx, err)
	}
	guard.rest()
	defer t.Rollback() // nothing to commit: the transaction was a snapshot
	return fn(&reader{e: db.engine, q: sqlQuerier{run: t, within: db.opts.Patience}})
}

// Ping implements directory.Store.
func (db *postgresDB) Ping(ctx context.Context) error {
	standby := false
	if err := db.pool.QueryRowContext(ctx, "SELECT pg_is_in_recovery()").Scan(&standby); err != nil {
		return answerOf(ctx, err)
	}
	if standby {
		return busy(errors.New("store: connected to a standby"))
	}
	return nil
}

// Close implements directory.Store.
func (db *postgresDB) Close() error { return errors.Join(db.pool.Close(), db.numbers.pool.Close()) }

// sqlRunner is what *sql.DB, *sql.Tx and *sql.Conn have in common.
type sqlRunner interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// sqlQuerier is a querier over database/sql. What is fast by construction is waited
// for within a time; 0 is for ever.
type sqlQuerier struct {
	run    sqlRunner
	within time.Duration
}

func (q sqlQuerier) query(ctx context.Context, sql string, args []any, each func(*row)) error {
	if q.within == 0 {
		return q.scan(ctx, sql, args, each)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	steps, cancel := patient(ctx, q.within)
	defer cancel()
	return lateness(ctx, q.scan(steps, sql, args, each))
}

func (q sqlQuerier) scan(ctx context.Context, sql string, args []any, each func(*row)) error {
	rows, err := q.run.QueryContext(ctx, sql, args...)
	if err != nil {
		return answerOf(ctx, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return answerOf(ctx, err)
	}
	r := newRow(len(columns))
	into := make([]any, len(columns))
	for i := range into {
		into[i] = &r.vals[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		r.at, r.err = 0, nil
		if each(r); r.err != nil {
			return r.err
		}
	}
	return answerOf(ctx, errors.Join(rows.Err(), rows.Close()))
}

func (q sqlQuerier) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	steps, cancel := ctx, context.CancelFunc(func() {})
	if q.within > 0 {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		steps, cancel = patient(ctx, q.within)
	}
	defer cancel()
	result, err := q.run.ExecContext(steps, sql, args...)
	if err != nil {
		return 0, lateness(ctx, answerOf(steps, err))
	}
	return result.RowsAffected()
}

// answerOf marks an error of the database as what the rest of the package
// knows: a duplicate key, the caller's own end, or a database that is away.
func answerOf(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errorClass(err) == classDuplicate:
		return fmt.Errorf("%w: %w", directory.ErrDuplicate, err)
	case errorClass(err) == classConnection:
		return busy(err)
	}
	return err
}

// class is what an error of PostgreSQL means for a transaction.
type class int

const (
	classOther      class = iota
	classDuplicate        // a unique key is taken
	classAgain            // serialization failure or deadlock: the same transaction may succeed now
	classConnection       // the server is away, starting, stopping or a standby
)

// errorClass reads the SQLSTATE (PostgreSQL documentation, appendix A).
func errorClass(err error) class {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case e.Code == "23505":
			return classDuplicate
		case e.Code == "40001", e.Code == "40P01":
			return classAgain
		case strings.HasPrefix(e.Code, "08"), e.Code == "57P01", e.Code == "57P02", e.Code == "57P03", e.Code == "25006", e.Code == "53300":
			return classConnection
		}
		return classOther
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return classConnection
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return classConnection
	}
	if pgconn.SafeToRetry(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed") {
		return classConnection
	}
	return classOther
}

// orderedBranch tells the planner that each branch comes in order: it merges
// branches only when they say so themselves, and would sort all of them.
func orderedBranch(a *args, sql, order string, limit int64) string {
	return "(" + sql + " ORDER BY number" + order + " LIMIT " + a.add(limit) + ")"
}

// matchTrigrams finds documents by the GIN index, which also holds the tenant.
func matchTrigrams(a *args, tenant int64, terms, implied []string) (match, tests string) {
	var sql strings.Builder
	sql.WriteString("s.tenant = " + a.add(tenant))
	for _, phrase := range slices.Concat(terms, implied) {
		sql.WriteString(" AND s.document LIKE " + a.add("%"+likeEscaper.Replace(phrase)+"%"))
	}
	return sql.String(), ""
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func indexTrigrams(ctx context.Context, q querier, rid, tenant int64, document string) error {
	_, err := q.exec(ctx, `INSERT INTO user_search (rid, tenant, document) VALUES ($1, $2, $3)
		ON CONFLICT (rid) DO UPDATE SET document = excluded.document`, rid, tenant, document)
	return err
}

func dropTrigrams(ctx context.Context, q querier, rid int64) error {
	_, err := q.exec(ctx, "DELETE FROM user_search WHERE rid = $1", rid)
	return err
}
