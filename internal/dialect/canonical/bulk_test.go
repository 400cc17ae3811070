package canonical_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
)

// TestABulkActionThatWaitsIsCancelled (dossier 3.28): on a server that takes up
// nothing, since a running one would be done with it.
func TestABulkActionThatWaitsIsCancelled(t *testing.T) {
	cfg := config.Default()
	cfg.Demo, cfg.Database = true, "sqlite:"+filepath.Join(t.TempDir(), "usher.db")
	a, err := app.New(t.Context(), cfg, io.Discard)
	must(t, err)
	t.Cleanup(func() { must(t, a.Close()) })
	post := func(path, body string) (int, map[string]any) {
		r := httptest.NewRequest(http.MethodPost, "/api/v1"+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer usher-demo-key")
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		var answer map[string]any
		must(t, json.Unmarshal(w.Body.Bytes(), &answer))
		return w.Code, answer
	}
	status, made := post("/bulk_actions", `{"verb":"sign_out","select":{}}`)
	if status != http.StatusCreated || made["state"] != "waiting" {
		t.Fatalf("%d %v", status, made)
	}
	path := "/bulk_actions/" + made["id"].(string) + "/cancel"
	if status, answer := post(path, ""); status != http.StatusOK || answer["state"] != "cancelled" || answer["ended_at"] == nil {
		t.Errorf("%d %v", status, answer)
	}
	if status, answer := post(path, ""); status != http.StatusConflict || answer["reason"] != "bulk.state" {
		t.Errorf("again: %d %v", status, answer)
	}
}
