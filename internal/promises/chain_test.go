package promises

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// tampering changes a database behind the server's back.
type tampering struct {
	*sql.DB
	postgres bool
}

func tamper(t *testing.T, s *testkit.Server) tampering {
	t.Helper()
	driver, source := "sqlite", "file:"+strings.TrimPrefix(s.Config.Database, "sqlite:")+"?_pragma=busy_timeout(5000)"
	postgres := strings.HasPrefix(s.Config.Database, "postgres")
	if postgres {
		driver, source = "pgx", s.Config.Database
	}
	db, err := sql.Open(driver, source)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return tampering{db, postgres}
}

// do runs a statement, whose values are $1 and so on.
func (d tampering) do(t *testing.T, statement string, args ...any) {
	t.Helper()
	_, err := d.ExecContext(context.Background(), statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// TestPromiseH_HistoryCannotBeChangedUnseen: whatever is changed, removed, moved
// or added in the stored events is found when the chain is verified, column by
// column; that its end was cut off is found by a checkpoint that was kept
// elsewhere. Emptying the contents of an event is what erasure does, and is told
// as that.
func TestPromiseH_HistoryCannotBeChangedUnseen(t *testing.T) {
	key := auditKey(t)
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			historyStands(t, testkit.Start(t, testkit.Options{Engine: engine, Tune: func(c *config.Config) {
				believe(c)
				c.AuditKeyFile = key
				c.CheckpointFile = filepath.Join(t.TempDir(), "checkpoints")
			}}))
		})
	}
}

// auditKey makes a key that signs checkpoints.
func auditKey(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	path := filepath.Join(t.TempDir(), "audit.key")
	must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	return path
}

// misdeeds are what may be done to stored events beside editing one: the
// statements that do it at a position of a chain that ends at last.
var misdeeds = map[string]func(db tampering, no directory.TenantNo, at, last int64) []string{
	"deletion": func(_ tampering, no directory.TenantNo, at, _ int64) []string {
		return []string{fmt.Sprintf("DELETE FROM events WHERE tenant = %d AND position = %d", no, at)}
	},
	"deletion and closing the gap": func(_ tampering, no directory.TenantNo, at, last int64) []string {
		list := []string{fmt.Sprintf("DELETE FROM events WHERE tenant = %d AND position = %d", no, at)}
		for p := at + 1; p <= last; p++ {
			list = append(list, fmt.Sprintf("UPDATE events SET position = %d WHERE tenant = %d AND position = %d", p-1, no, p))
		}
		return append(list, fmt.Sprintf("UPDATE chain_heads SET position = %d WHERE tenant = %d", last-1, no))
	},
	"reordering": func(_ tampering, no directory.TenantNo, at, _ int64) []string {
		move := func(from, to int64) string {
			return fmt.Sprintf("UPDATE events SET position = %d WHERE tenant = %d AND position = %d", to, no, from)
		}
		return []string{move(at, -1), move(at+1, at), move(-1, at+1)}
	},
	"insertion": func(db tampering, no directory.TenantNo, _, last int64) []string {
		columns := "type, number, subject, door, actor, on_behalf_of, reason, request_id, at, payload_hash, hash, salt, payload, user_id, company, origin"
		into, from := columns, columns
		if !db.postgres { // the server counts these rows itself
			into, from = "seq, "+columns, "-7, "+columns
		}
		return []string{fmt.Sprintf("INSERT INTO events (tenant, position, id, %s) SELECT tenant, %d, 'inserted', %s FROM events WHERE tenant = %d AND position = %d",
			into, last+1, from, no, last), fmt.Sprintf("UPDATE chain_heads SET position = %d WHERE tenant = %d", last+1, no)}
	},
}

func historyStands(t *testing.T, s *testkit.Server) {
	db := tamper(t, s)
	w := newWorld(t, s)
	for range 3 {
		w.works(t)
	}
	w.editsAreFound(t, db)
	for name, change := range misdeeds {
		w := newWorld(t, s)
		w.works(t)
		w.verified(t, "before "+name, true)
		for _, statement := range change(db, w.tenant.No, 3, w.position(t)) {
			db.do(t, statement)
		}
		w.verified(t, name, false)
	}
	cutOff(t, s, db)
}

// works leaves a few events.
func (w *world) works(t *testing.T) {
	t.Helper()
	u := w.person(t)
	_, err := w.service.Deactivate(t.Context(), w.system(), directory.ByNumber(u.Number))
	must(t, err)
}

// verified fails unless the chain is whole, or broken.
func (w *world) verified(t *testing.T, when string, whole bool, checkpoints ...directory.Checkpoint) {
	t.Helper()
	report, err := w.service.VerifyChain(t.Context(), w.system(), checkpoints)
	must(t, err)
	if (report.Broken == 0) != whole {
		t.Errorf("%s: the chain is broken at %d (%s)", when, report.Broken, report.Problem)
	}
}

// position is where the chain ends.
func (w *world) position(t *testing.T) int64 {
	t.Helper()
	point, err := w.service.LatestCheckpoint(t.Context(), w.system())
	must(t, err)
	return point.Position
}

// harmless are columns that are no part of history: the order in which rows came
// to lie.
var harmless = []string{"seq"}

// editsAreFound changes every column of an event, one at a time.
func (w *world) editsAreFound(t *testing.T, db tampering) {
	t.Helper()
	at := w.position(t) - 2 // of a user's event
	where := fmt.Sprintf(" WHERE tenant = %d AND position = %d", w.tenant.No, at)
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM events"+where)
	must(t, err)
	columns, err := rows.Columns()
	must(t, err)
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	if !rows.Next() {
		t.Fatal("there is no such event")
	}
	must(t, rows.Scan(into...))
	must(t, rows.Close())
	w.verified(t, "before any edit", true)
	tried := 0
	for i, column := range columns {
		if slices.Contains(harmless, column) {
			continue
		}
		tried++
		again := where
		switch column {
		case "position":
			again = fmt.Sprintf(" WHERE tenant = %d AND position = -5", w.tenant.No)
		case "tenant":
			again = fmt.Sprintf(" WHERE tenant = 7777 AND position = %d", at)
		}
		db.do(t, "UPDATE events SET "+column+" = $1"+where, edited(column, values[i]))
		w.verified(t, "column "+column+" edited", false)
		db.do(t, "UPDATE events SET "+column+" = $1"+again, values[i])
		w.verified(t, "column "+column+" as it was", true)
	}
	if tried < 18 {
		t.Errorf("only %d columns: %v", tried, columns)
	}
}

// edited is another value of a column.
func edited(column string, value any) any {
	switch v := value.(type) {
	case int64:
		switch column {
		case "position":
			return int64(-5)
		case "tenant":
			return int64(7777)
		}
		return v + 1
	case int32:
		return v + 1
	case string:
		return v + "x"
	case []byte:
		edited := slices.Clone(v)
		if len(edited) == 0 {
			return []byte("x")
		}
		edited[len(edited)/2] ^= 1
		return edited
	}
	return "x"
}

// cutOff removes the newest events and winds the head back, so that nothing in
// the database tells: the checkpoint does.
func cutOff(t *testing.T, s *testkit.Server, db tampering) {
	t.Helper()
	w := newWorld(t, s)
	w.works(t)
	point, err := w.service.LatestCheckpoint(t.Context(), w.system())
	must(t, err)
	w.verified(t, "before the end is cut off", true, point)
	last := point.Position
	db.do(t, fmt.Sprintf("DELETE FROM events WHERE tenant = %d AND position > %d", w.tenant.No, last-2))
	db.do(t, fmt.Sprintf("UPDATE chain_heads SET position = %d, hash = (SELECT hash FROM events WHERE tenant = %d AND position = %d) WHERE tenant = %d", last-2, w.tenant.No, last-2, w.tenant.No))
	w.verified(t, "the end cut off, without a checkpoint", true)
	w.verified(t, "the end cut off", false, point)
}
