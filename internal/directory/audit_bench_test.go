package directory_test

import (
	"path/filepath"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// BenchmarkVerifyChain verifies a chain of 200,000 events in a file of SQLite that
// was opened to be read.
func BenchmarkVerifyChain(b *testing.B) {
	const count = 200_000
	path := "sqlite:" + filepath.Join(b.TempDir(), "usher.db")
	db, err := store.Open(b.Context(), path, store.Options{Migrate: true})
	if err != nil {
		b.Fatal(err)
	}
	svc := directory.New(db, directory.Options{})
	tenant, err := svc.CreateTenant(b.Context(), directory.System(0, "bench"), directory.Tenant{Name: "acme"}, directory.Company{})
	if err != nil {
		b.Fatal(err)
	}
	payload := []byte(`{"changes":{"title":["Technician","Senior technician"],"phones":[[],[{"number":"+1 555 0100","type":"mobile"}]],"state":["inactive","active"]}}`)
	for n := 0; n < count; n += 500 {
		err := db.Update(b.Context(), func(tx directory.Tx) error {
			for i := range 500 {
				err := tx.InsertEvent(b.Context(), directory.Event{Tenant: tenant.No, ID: svc.NewID(), Type: directory.EventUserUpdated, User: int64(n + i + 1),
					UserID: svc.NewID(), Company: 1, Door: directory.DoorCanonical, Actor: "key:provisioning", Origin: "credential:" + svc.NewID(),
					RequestID: "0123456789abcdef", Time: tenant.CreatedAt, Salt: []byte("sixteen bytes..."), Payload: payload})
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
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	read, err := store.Open(b.Context(), path, store.Options{ReadOnly: true})
	if err != nil {
		b.Fatal(err)
	}
	defer read.Close() // only read
	svc = directory.New(read, directory.Options{})
	for b.Loop() {
		report, err := svc.VerifyChain(b.Context(), directory.System(tenant.No, "bench"), nil)
		if err != nil || report.Broken != 0 || report.Events != count+1 {
			b.Fatalf("%+v, %v", report, err)
		}
	}
	b.ReportMetric(float64(count*b.N)/b.Elapsed().Seconds(), "events/s")
}
