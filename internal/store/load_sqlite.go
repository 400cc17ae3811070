package store

import (
	"context"
	"fmt"

	"github.com/usher-id/usher/internal/directory"
)

// A load of many users writes thousands of pages at random places with every page
// of users: into each index of the users and of their handles. While there is one,
// the writer keeps more pages in memory, and the log is longer before it is copied
// and begun anew, so that a page is read and copied once for several changes of it.
// The search index gets a segment with every page of users; those are merged many
// at a time, and what that leaves when nobody writes (docs/decisions/0036).
const (
	loadCache      = 40 << 10 // KiB of pages, each of which takes twice its size of the library's allocator
	restCache      = 4000     // KiB, as in sqliteCommon
	loadLog        = 24_000   // pages of the log, in place of longLog
	loadCheckpoint = 5        // turns of the checkpointer, of which one is taken
	loadSegments   = 48       // of the search index, that are merged at a time
	loadMergePages = 256      // pages that one step merges
)

// ftsSettings are the settings of the search index that a load changes: how many
// segments of a level a commit merges by itself, how few a step of merging takes, and
// how many bytes of a transaction make a segment. While there is a load no commit
// merges, since that many segments are a second's work and more; no step goes on with
// few segments after it has finished with many; and a page of users is one segment.
type ftsSettings struct{ crisisMerge, userMerge, hashSize int }

var (
	loadSettings = ftsSettings{1000, 16, 8 << 20}
	restSettings = ftsSettings{64, 4, 1 << 20} // as in the schema, and FTS5's own
)

// loaded notes that a batch has loaded users, and does a step of merging if there
// are enough segments.
func (w *writer) loaded(users int) {
	if users == 0 {
		return
	}
	if !w.loading.Load() {
		w.beginLoad()
	}
	w.unmerged = 1
	if w.segmentsWait() {
		w.merge(loadMergePages)
	}
}

func (w *writer) beginLoad() {
	w.loading.Store(true)
	w.control(fmt.Sprintf("PRAGMA cache_size = -%d", loadCache))
	w.setSearch(loadSettings)
}

// endLoad gives back the memory, when nothing more is loaded and what a load merges
// is merged, and reports whether there was a load: then there is more to merge.
func (w *writer) endLoad() bool {
	if !w.loading.CompareAndSwap(true, false) {
		return false
	}
	w.setSearch(restSettings)
	w.control(fmt.Sprintf("PRAGMA cache_size = -%d", restCache))
	w.control("PRAGMA shrink_memory")
	w.unmerged = 1
	return true
}

// resumeLoad goes on with a load that the process before this one did not end.
func (w *writer) resumeLoad() {
	begun := false
	err := w.conn.query(noCancel, "SELECT 1 FROM user_search_config WHERE k = 'crisismerge' AND v > $1",
		[]any{int64(restSettings.crisisMerge)}, func(*row) { begun = true })
	if w.conn.broken = nil; err != nil {
		w.log.Error("looking for the settings of a load failed", "error", err)
	}
	if begun {
		w.beginLoad()
	}
}

func (w *writer) setSearch(to ftsSettings) {
	for name, value := range map[string]int{"crisismerge": to.crisisMerge, "usermerge": to.userMerge, "hashsize": to.hashSize} {
		w.control(fmt.Sprintf("INSERT INTO user_search (user_search, rank) VALUES ('%s', %d)", name, value))
	}
}

// longLog is the length of the log in pages above which the writer is asked to
// begin it anew.
func (w *writer) longLog() int64 {
	if w.loading.Load() {
		return loadLog
	}
	return longLog
}

// segmentsWait reports whether the lowest level of the search index, which each
// batch adds a segment to, is being merged or has enough segments for it.
func (w *writer) segmentsWait() (wait bool) {
	err := w.conn.query(noCancel, "SELECT block FROM user_search_data WHERE id = 10", nil, func(r *row) {
		if levels := ftsLevels(r.blob()); len(levels) > 0 {
			wait = levels[0].merging > 0 || levels[0].segments >= loadSegments
		}
	})
	w.conn.broken = nil
	return wait && err == nil
}

// ftsLevel is a level of an FTS5 index: how many segments it has, and how many of
// them are being merged.
type ftsLevel struct{ merging, segments int64 }

// ftsLevels reads FTS5's structure record: a cookie of four bytes, the mark of the
// second version, and variable integers (SQLite's fts5_index.c, "Structure
// record"). Of anything else it reads nothing.
func ftsLevels(b []byte) (levels []ftsLevel) {
	const head = 8
	if len(b) < head || [4]byte(b[4:head]) != [4]byte{0xFF, 0, 0, 1} {
		return nil
	}
	b = b[head:]
	next := func() (v int64) {
		for i := 0; i < 9 && len(b) > 0; i++ {
			c := b[0]
			if b = b[1:]; i == 8 {
				return v<<8 | int64(c)
			}
			if v = v<<7 | int64(c&0x7F); c < 0x80 {
				break
			}
		}
		return v
	}
	count := next()
	next() // segments in all
	next() // pages written so far
	for range count {
		if len(b) == 0 {
			return levels
		}
		level := ftsLevel{merging: next(), segments: next()}
		const numbers = 8 // of a segment
		for range numbers * level.segments {
			if len(b) == 0 {
				return levels
			}
			next()
		}
		levels = append(levels, level)
	}
	return levels
}

// insertRows loads rows by INSERTs of several. A key that is taken is passed over
// and found by the number of rows: the statement then needs no journal of its own,
// with which every page that it changes would be copied.
func insertRows(ctx context.Context, q querier, table *loadedTable, values []any) error {
	return table.insert.each(values, func(sql string, args []any) error {
		n, err := q.exec(ctx, sql, args...)
		if err == nil && n != int64(len(args)/len(table.columns)) {
			err = fmt.Errorf("%w: a key of %s", directory.ErrDuplicate, table.name)
		}
		return err
	})
}
