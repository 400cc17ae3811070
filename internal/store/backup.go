package store

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A backup is one file for both engines, so that a directory can move from one to
// the other (docs/decisions/0039): backupMagic, a gzip stream of records, and the
// SHA-256 of all before. A record is a letter and what belongs to it:
//
//	h  the head: a JSON backupHead
//	t  a table begins: a JSON backupTable
//	r  a row of it: each value as a letter, n for NULL, i and a varint, s for a text
//	   or b for bytes with their length and themselves
//	m  the end: a JSON BackupManifest
//
// Lengths are uvarints. What one engine keeps in its own way, which is the search
// index, is made anew when a backup is restored.
const backupMagic = "USHER BACKUP 1\n"

// ErrDamagedBackup is what reading a backup answers that is cut off or changed.
var ErrDamagedBackup = errors.New("the backup is damaged")

// BackupManifest is what a backup holds.
type BackupManifest struct {
	Engine    string         `json:"engine"` // it was made of: "sqlite" or "postgres"
	Schema    int64          `json:"schema"` // number of the last migration
	Program   string         `json:"program"`
	CreatedAt time.Time      `json:"created_at"`
	Tables    []BackupCount  `json:"tables"`
	Tenants   []BackupTenant `json:"tenants"`
	// LastEvent is the last sequence number of an event that was drawn, perhaps of
	// one that retention has removed.
	LastEvent int64 `json:"last_event"`
}

// Rows is the number of all rows.
func (m *BackupManifest) Rows() (n int64) {
	for _, t := range m.Tables {
		n += t.Rows
	}
	return n
}

// BackupCount is how many rows a table has.
type BackupCount struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
}

// BackupTenant is a tenant with the end of its chain of events.
type BackupTenant struct {
	No       int64  `json:"no"`
	ID       string `json:"id"`
	Name     string `json:"name"`
	Users    int64  `json:"users"` // in all states
	Position int64  `json:"position"`
	Hash     []byte `json:"hash,omitempty"`
	Epoch    int64  `json:"epoch"`
}

// backupHead is what must be known before the first row.
type backupHead struct {
	Engine    string    `json:"engine"`
	Schema    int64     `json:"schema"`
	Program   string    `json:"program"`
	CreatedAt time.Time `json:"created_at"`
}

// backupTable is a table with the columns of its rows; key is what orders them.
type backupTable struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	key     []string
	types   []string // of PostgreSQL
}

// engineTables are the tables that an engine has for itself: the search index, what
// goose and SQLite keep, where PostgreSQL has events that wait for a position (a
// backup has them among the others), and what the version before this one fills.
var engineTables = regexp.MustCompile(`^(user_search.*|schema_migrations.*|sqlite_.*|events_new|event_users.*)$`)

// backupSource is one snapshot of a database.
type backupSource interface {
	querier() querier
	schema(ctx context.Context) (int64, error)
	// tables are those that a backup has, in order of name.
	tables(ctx context.Context) ([]backupTable, error)
	// copy writes the rows of a table in the order of its key.
	copy(ctx context.Context, t *backupTable, w *backupWriter) error
	lastEvent(ctx context.Context) (int64, error)
	close() error
}

// Backup writes a database, as of one moment, while any number of servers work on
// it. program is what names the version that makes the backup, and now its time.
// Errors: ErrNeedsMigration, or what the database and w say.
func Backup(ctx context.Context, database string, w io.Writer, program string, now time.Time) (BackupManifest, error) {
	source, engine, err := openSource(ctx, database)
	if err != nil {
		return BackupManifest{}, err
	}
	m, err := backup(ctx, source, w, BackupManifest{Engine: engine, Program: program, CreatedAt: now.UTC().Truncate(time.Microsecond)})
	return m, errors.Join(err, source.close())
}

func openSource(ctx context.Context, database string) (backupSource, string, error) {
	scheme, rest := splitURL(database)
	var source backupSource
	var err error
	switch scheme {
	case "sqlite":
		source, err = openSQLiteSource(ctx, rest)
	case "postgres":
		source, err = openPostgresSource(ctx, database)
	default:
		err = unknownScheme(database)
	}
	return source, scheme, err
}

func backup(ctx context.Context, source backupSource, file io.Writer, m BackupManifest) (BackupManifest, error) {
	var err error
	if m.Schema, err = source.schema(ctx); err != nil {
		return m, err
	}
	if err := checkVersion(m.Schema, latestMigration(m.Engine)); err != nil {
		return m, err
	}
	return m, writeBackup(ctx, source, file, &m)
}

// writeBackup writes everything, and notes in the manifest what it was.
func writeBackup(ctx context.Context, source backupSource, file io.Writer, m *BackupManifest) error {
	tables, err := source.tables(ctx)
	if err != nil {
		return err
	}
	w, err := newBackupWriter(file)
	if err != nil {
		return err
	}
	w.record('h', backupHead{Engine: m.Engine, Schema: m.Schema, Program: m.Program, CreatedAt: m.CreatedAt})
	for i := range tables {
		t := &tables[i]
		w.record('t', t)
		w.rows = 0
		if err := source.copy(ctx, t, w); err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
		m.Tables = append(m.Tables, BackupCount{t.Name, w.rows})
	}
	if m.Tenants, err = backupTenants(ctx, source.querier()); err != nil {
		return err
	}
	if m.LastEvent, err = source.lastEvent(ctx); err != nil {
		return err
	}
	w.record('m', m)
	return w.close()
}

// backupTenants reads the tenants with the ends of their chains.
func backupTenants(ctx context.Context, q querier) ([]BackupTenant, error) {
	list := []BackupTenant{}
	err := q.scan(ctx, `SELECT t.no, t.id, t.name, (SELECT count(*) FROM users u WHERE u.tenant = t.no),
		coalesce(h.position, 0), h.hash, coalesce(h.epoch, 0)
		FROM tenants t LEFT JOIN chain_heads h ON h.tenant = t.no ORDER BY t.no`, nil, func(r *row) {
		list = append(list, BackupTenant{No: r.int(), ID: r.text(), Name: r.text(), Users: r.int(), Position: r.int(), Hash: r.blob(), Epoch: r.int()})
	})
	return list, err
}

// backupBuffer is how much a backup keeps in memory in each of its steps.
const backupBuffer = 256 << 10

// backupWriter writes records. Its first error is kept until close.
type backupWriter struct {
	out  *bufio.Writer
	zip  *gzip.Writer
	file *bufio.Writer
	to   io.Writer // the file, and the sum of what goes there
	sum  hash.Hash
	rows int64
	word []byte
	err  error
}

func newBackupWriter(file io.Writer) (*backupWriter, error) {
	w := &backupWriter{sum: sha256.New(), to: file}
	w.file = bufio.NewWriterSize(io.MultiWriter(file, w.sum), backupBuffer)
	_, w.err = w.file.WriteString(backupMagic)
	var err error
	if w.zip, err = gzip.NewWriterLevel(w.file, gzip.BestSpeed); err != nil {
		return nil, err
	}
	w.out = bufio.NewWriterSize(w.zip, backupBuffer)
	return w, nil
}

func (w *backupWriter) record(kind byte, v any) {
	text, err := json.Marshal(v)
	w.note(err)
	w.value(kind, text)
}

func (w *backupWriter) note(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *backupWriter) value(kind byte, text []byte) {
	w.word = binary.AppendUvarint(append(w.word[:0], kind), uint64(len(text)))
	_, err := w.out.Write(w.word)
	w.note(err)
	_, err = w.out.Write(text)
	w.note(err)
}

// row begins a row, whose values follow. Its answer is the error so far.
func (w *backupWriter) row() error {
	w.rows++
	w.note(w.out.WriteByte('r'))
	return w.err
}

func (w *backupWriter) null() { w.note(w.out.WriteByte('n')) }

func (w *backupWriter) int(n int64) {
	w.word = binary.AppendVarint(append(w.word[:0], 'i'), n)
	_, err := w.out.Write(w.word)
	w.note(err)
}

func (w *backupWriter) text(text []byte) { w.value('s', text) }

func (w *backupWriter) blob(data []byte) { w.value('b', data) }

// close writes the sum. The file is whole when it answers nil.
func (w *backupWriter) close() error {
	for _, end := range []func() error{w.out.Flush, w.zip.Close, w.file.Flush} {
		if w.err == nil {
			w.err = end()
		}
	}
	if w.err == nil {
		_, w.err = w.to.Write(w.sum.Sum(nil))
	}
	return w.err
}

// quoted is a list of columns as SQL.
func quoted(columns []string) string {
	list := slices.Clone(columns)
	for i, c := range list {
		list[i] = `"` + c + `"`
	}
	return strings.Join(list, ", ")
}
