package bench

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/bulk"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/load"
	"github.com/usher-id/usher/internal/store"
)

// BenchmarkExport exports EXPORT_USERS users (20,000; 1,000,000 for the figures of
// docs/decisions/0034-bulk-runs.md) from a SQLite file: as records alone, with
// memberships, and written as the formats of files. The rate counts the processor time
// of the whole process, collector and readers included.
func BenchmarkExport(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("EXPORT_USERS"))
	if err != nil {
		n = 20_000
	}
	path := filepath.Join(b.TempDir(), "usher.db")
	db, err := store.Open(b.Context(), "sqlite:"+path, store.Options{Migrate: true})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := load.Seed(b.Context(), db, n, nil); err != nil {
		b.Fatal(err)
	}
	service := directory.New(db, directory.Options{})
	export := func(with directory.Include, each func([]directory.Record) error) error {
		call := &directory.Call{Door: directory.DoorCanonical, Secret: load.Key, Addr: "192.0.2.7"}
		return service.ExportUsers(b.Context(), call, directory.UserQuery{}, with, each)
	}
	written := func(format directory.BulkFormat) func() error {
		return func() error {
			w, err := bulk.NewWriter(io.Discard, format, nil)
			if err != nil {
				return err
			}
			return bulk.WriteRecords(w, func(each func([]directory.Record) error) error { return export(directory.IncludeRecord, each) })
		}
	}
	discard := func([]directory.Record) error { return nil }
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"records", func() error { return export(0, discard) }},
		{"records with memberships", func() error { return export(directory.IncludeRecord, discard) }},
		{"ndjson", written(directory.BulkNDJSON)},
		{"csv", written(directory.BulkCSV)},
	} {
		b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) { measureExport(b, n, c.run) })
	}
}

// measureExport reports rows by second and core, and how much memory the process has
// when an export is done.
func measureExport(b *testing.B, n int, run func() error) {
	runtime.GC()
	before, rows := processorTime(b), 0
	for b.Loop() {
		if err := run(); err != nil {
			b.Fatal(err)
		}
		rows += n
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(rows)/(processorTime(b)-before).Seconds(), "rows/s-and-core")
	b.ReportMetric(float64(memory.HeapSys-memory.HeapReleased)/(1<<20), "heap-MiB")
}

// processorTime is the processor time of this process so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
