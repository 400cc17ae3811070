package store

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

// benchUsers is how many users the benchmarks of backups have.
const benchUsers = 20000

// BenchmarkBackup writes and restores a directory of benchUsers users with their
// events, on SQLite: rows a second of the whole file.
func BenchmarkBackup(b *testing.B) {
	database := "sqlite:" + b.TempDir() + "/usher.db"
	db, err := Open(b.Context(), database, Options{Migrate: true, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	fillBench(b, db)
	var file bytes.Buffer
	var m BackupManifest
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			file.Reset()
			if m, err = Backup(b.Context(), database, &file, "bench", backupTime); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(m.Rows())*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		b.ReportMetric(float64(file.Len())/float64(benchUsers), "B/user")
	})
	b.Run("restore", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n++
			if _, err := Restore(b.Context(), fmt.Sprintf("sqlite:%s/%d.db", b.TempDir(), n), bytes.NewReader(file.Bytes()), silent); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(m.Rows())*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

func fillBench(b *testing.B, db *DB) {
	b.Helper()
	ctx := context.Background()
	for first := int64(1); first <= benchUsers; first += 500 {
		err := db.Update(ctx, func(tx directory.Tx) error {
			if first == 1 {
				if _, err := tx.InsertTenant(ctx, directory.Tenant{ID: "t", Name: "acme"}); err != nil {
					return err
				}
				if err := tx.InsertCompany(ctx, directory.Company{Tenant: 1, Number: 1, ID: "1", Path: []int64{1}, Name: "Company"}); err != nil {
					return err
				}
			}
			for number := first; number < first+500; number++ {
				u := directory.User{Tenant: 1, Number: number, ID: uuid.NewString(), State: directory.StateActive, UserName: fmt.Sprint("user", number),
					Email: fmt.Sprintf("user%d@example.com", number), GivenName: "Given", FamilyName: fmt.Sprint("Family", number%997), Company: 1,
					Version: 1, DoorVersion: 1, CreatedAt: backupTime, UpdatedAt: backupTime}
				if err := tx.InsertUser(ctx, u); err != nil {
					return err
				}
				err := tx.InsertEvent(ctx, directory.Event{Tenant: 1, ID: uuid.NewString(), Type: "user.created", User: number, Time: backupTime,
					Salt: []byte("salt"), Payload: []byte(`{"version":1}`)})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
