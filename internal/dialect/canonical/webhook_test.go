package canonical_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/testkit"
)

// receiver is an endpoint that answers as it is told and passes on what came.
func receiver(t *testing.T, status func(id string) int) (url string, came chan http.Header) {
	t.Helper()
	came = make(chan http.Header, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status(r.Header.Get("webhook-id")))
		came <- r.Header
	}))
	t.Cleanup(srv.Close)
	return srv.URL, came
}

// allowLocal lets webhooks go to this machine.
func allowLocal(c *config.Config) { c.WebhookNetworks, c.WebhookHTTP = []string{"127.0.0.0/8"}, true }

// A delivery that an endpoint refuses is listed, retried and dropped (dossier 3.25).
func TestDeliveries(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Demo: true, Tune: allowLocal})
	url, came := receiver(t, func(string) int { return http.StatusBadRequest })
	var hook struct{ ID string }
	status, _, text := ask(t, s, "POST", "/api/v1/webhooks", "usher-demo-key", `{"name":"refuser","url":"`+url+`","types":["licence_pool.set"]}`)
	must(t, json.Unmarshal([]byte(text), &hook))
	if status != http.StatusCreated {
		t.Fatalf("%d %s", status, text)
	}
	path := "/api/v1/webhooks/" + hook.ID
	status, _, text = ask(t, s, "POST", path+"/test", "usher-demo-key", "")
	if h := <-came; status != 200 || !strings.Contains(text, `"delivered":false,"status":400`) || h.Get("webhook-signature") == "" {
		t.Errorf("a test: %d %s %v", status, text, h)
	}
	resize(t, s, 321)
	<-came
	position := waitForDelivery(t, s, path)
	one := fmt.Sprintf("%s/deliveries/%d", path, position)
	status, _, text = ask(t, s, "POST", one+"/retry", "usher-demo-key", "")
	if status != 200 || !strings.Contains(text, fmt.Sprintf(`"position":%d`, position)) || !strings.Contains(text, `"state":"waiting"`) {
		t.Errorf("retry: %d %s", status, text)
	}
	<-came
	if status, _, text := ask(t, s, "DELETE", one, "usher-demo-key", ""); status != 204 {
		t.Errorf("drop: %d %s", status, text)
	}
	if status, _, text := ask(t, s, "DELETE", one, "usher-demo-key", ""); status != 404 || !strings.Contains(text, `"delivery.not_found"`) {
		t.Errorf("drop it again: %d %s", status, text)
	}
}

// waitForDelivery asks for what an endpoint has not taken until it is noted, which
// is after the endpoint has answered.
func waitForDelivery(t *testing.T, s *testkit.Server, path string) int64 {
	t.Helper()
	for t.Context().Err() == nil {
		var page struct {
			Items []struct {
				Position   int64
				State      string
				LastStatus int `json:"last_status"`
			}
		}
		_, _, text := ask(t, s, "GET", path+"/deliveries", "usher-demo-key", "")
		must(t, json.Unmarshal([]byte(text), &page))
		if len(page.Items) == 0 {
			continue
		}
		if d := page.Items[0]; d.State != "waiting" || d.LastStatus != 400 {
			t.Errorf("%s", text)
		}
		return page.Items[0].Position
	}
	return 0
}
