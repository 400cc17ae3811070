package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Inspection is how a database is, as far as a look at it can tell.
type Inspection struct {
	Engine string
	// Schema is the number of its last migration, 0 for none; Newest is the one that
	// this program brings.
	Schema, Newest int64
	// Version is what the server calls itself, and Clock its time; SQLite has neither.
	Version string
	Clock   time.Time
	// Standbys is how many servers follow this one.
	Standbys int64
	// Faults are settings that cost data or keep the program from working.
	Faults []Fault
	// Counters are those that do not agree with what they count.
	Counters []string
	Log      int64 // bytes of SQLite's log
}

// Fault is a setting of a database that should be another.
type Fault struct {
	Fatal  bool   // data is lost or nothing works; else it is only unwise
	Seen   string // what it is
	Remedy string // what to do, in a sentence
}

// fault notes a fault.
func (i *Inspection) fault(fatal bool, seen, remedy string) {
	i.Faults = append(i.Faults, Fault{fatal, seen, remedy})
}

// Inspect looks at a database as of one moment, while servers work on it, and changes
// nothing. connections is how many a server opens to PostgreSQL. Errors are of a
// database that cannot be read at all.
func Inspect(ctx context.Context, database string, connections int64) (Inspection, error) {
	source, engine, err := openSource(ctx, database)
	if err != nil {
		return Inspection{}, err
	}
	i := Inspection{Engine: engine, Newest: latestMigration(engine)}
	if engine == "sqlite" {
		err = i.sqlite(ctx, source.querier(), database)
	} else {
		err = i.postgres(ctx, source.querier(), connections)
	}
	if err == nil && i.Schema >= i.Newest {
		i.Counters, err = compareCounters(ctx, source.querier())
	}
	return i, errors.Join(err, source.close())
}

func (i *Inspection) sqlite(ctx context.Context, q querier, database string) (err error) {
	if i.Schema, err = sqliteVersion(ctx, q); err != nil {
		return err
	}
	_, path := splitURL(database)
	if info, err := os.Stat(path + "-wal"); err == nil {
		i.Log = info.Size()
	}
	damage := ""
	if err := q.scan(ctx, "PRAGMA quick_check(1)", nil, func(r *row) { damage = r.text() }); err != nil {
		return err
	}
	if damage != "ok" {
		i.fault(true, "the file is damaged: "+damage, "Stop the server, keep a copy of the file, and restore the last backup with `usher restore`.")
	}
	mode := ""
	if err := q.query(ctx, "PRAGMA journal_mode", nil, func(r *row) { mode = r.text() }); err != nil {
		return err
	}
	if mode != "wal" {
		i.fault(false, "journal_mode is "+mode, "Nothing has opened the file for writing since it was copied or restored; `usher serve` sets journal_mode to wal.")
	}
	return nil
}

// postgresNeeds are settings of PostgreSQL that must not be as they are seen.
var postgresNeeds = []struct {
	name, bad    string
	fatal        bool
	seen, remedy string
}{
	{"fsync", "off", true, "fsync is off: a crash of the machine can destroy the database", "Set fsync = on in postgresql.conf and reload."},
	{"full_page_writes", "off", true, "full_page_writes is off: a crash can tear pages of the database", "Set full_page_writes = on in postgresql.conf and reload."},
	{"synchronous_commit", "off", false, "synchronous_commit is off: a crash loses changes that were acknowledged", "Set synchronous_commit = on for this database, or accept the loss."},
	{"server_encoding", "SQL_ASCII", true, "the encoding is SQL_ASCII: texts are not checked", "Make the database with ENCODING 'UTF8' and restore a backup into it."},
}

func (i *Inspection) postgres(ctx context.Context, q querier, connections int64) error {
	settings := map[string]string{}
	err := q.query(ctx, `SELECT name, setting FROM pg_settings WHERE name IN
		('fsync', 'full_page_writes', 'synchronous_commit', 'server_encoding', 'server_version', 'server_version_num', 'max_connections', 'superuser_reserved_connections')`, nil,
		func(r *row) { settings[r.text()] = r.text() })
	if err != nil {
		return err
	}
	i.Version = settings["server_version"]
	for _, n := range postgresNeeds {
		if settings[n.name] == n.bad {
			i.fault(n.fatal, n.seen, n.remedy)
		}
	}
	if e := settings["server_encoding"]; e != "UTF8" && e != "SQL_ASCII" {
		i.fault(true, "the encoding is "+e+": not every name can be kept", "Make the database with ENCODING 'UTF8' and restore a backup into it.")
	}
	i.room(settings, connections)
	standby, table := int64(0), int64(0)
	err = q.query(ctx, `SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT), CAST(pg_is_in_recovery() AS INT),
		(SELECT count(*) FROM pg_stat_replication), CAST(to_regclass('`+versionTable+`') IS NOT NULL AS INT)`, nil,
		func(r *row) { i.Clock, standby, i.Standbys, table = r.time(), r.int(), r.int(), r.int() })
	if err != nil {
		return err
	}
	if standby != 0 {
		i.fault(true, "it is a standby, which takes no changes", "Name the primary in the database setting, or several hosts, of which the one that takes changes is used.")
	}
	if table == 0 {
		return nil
	}
	if err := q.query(ctx, "SELECT coalesce(max(version_id), 0) FROM "+versionTable, nil, func(r *row) { i.Schema = r.int() }); err != nil {
		return err
	}
	return i.extensions(ctx, q)
}

// room compares the connections that a server opens with those that there are.
func (i *Inspection) room(settings map[string]string, connections int64) {
	most, err := strconv.ParseInt(settings["max_connections"], 10, 64)
	kept, keptErr := strconv.ParseInt(settings["superuser_reserved_connections"], 10, 64)
	if err == nil && keptErr == nil && connections > most-kept {
		i.fault(false, fmt.Sprintf("a server opens up to %d connections, and the database has %d", connections, most-kept),
			"Lower pg_max_conns, raise max_connections, or put a pooler between them.")
	}
}

// extensions looks for what the search needs.
func (i *Inspection) extensions(ctx context.Context, q querier) error {
	for _, name := range [...]string{"pg_trgm", "btree_gin"} {
		n := int64(0)
		if err := q.query(ctx, "SELECT count(*) FROM pg_extension WHERE extname = $1", []any{name}, func(r *row) { n = r.int() }); err != nil {
			return err
		}
		if n == 0 {
			i.fault(true, "the extension "+name+" is missing: searches read every user", "Let a role that may do so run CREATE EXTENSION "+name+" in the database, and make the index user_search_document again.")
		}
	}
	return nil
}
