package canonical_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/usher-id/usher/internal/testkit"
)

// writers is how many requests race each other.
const writers = 12

// race sends the same number of requests at once and returns the answers: status
// and body.
func race(t *testing.T, url, method, path string, header http.Header, body func(i int) string) (statuses map[int]int, bodies []string) {
	t.Helper()
	statuses, bodies = map[int]int{}, make([]string, writers)
	codes := make([]int, writers)
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			r, err := http.NewRequest(method, url+path, bytes.NewReader([]byte(body(i))))
			if err != nil {
				t.Error(err)
				return
			}
			r.Header = header.Clone()
			r.Header.Set("Authorization", "Bearer usher-demo-key")
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			text, err := io.ReadAll(answer.Body)
			if err != nil || answer.Body.Close() != nil {
				t.Error(err)
			}
			codes[i], bodies[i] = answer.StatusCode, string(text)
		})
	}
	group.Wait()
	for _, code := range codes {
		statuses[code]++
	}
	return statuses, bodies
}

// TestNoPatchIsLost: of many merge patches at once each is there afterwards, and
// of many with the same If-Match one is.
func TestNoPatchIsLost(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			path := "/api/v1/users/9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870"
			each := func(i int) string { return fmt.Sprintf(`{"attributes":{"k%d":{"by":%d}}}`, i, i) }
			if statuses, bodies := race(t, server.URL, "PATCH", path, http.Header{}, each); statuses[200] != writers {
				t.Errorf("%v %v", statuses, bodies)
			}
			_, header, body := send(t, server.URL, "GET", path, nil)
			for i := range writers {
				if part := fmt.Sprintf(`"k%d":{"by":%d}`, i, i); !strings.Contains(body, part) {
					t.Errorf("%s was lost", part)
				}
			}
			statuses, _ := race(t, server.URL, "PATCH", path, http.Header{"If-Match": {header.Get("ETag")}}, func(i int) string { return fmt.Sprintf(`{"title":"by %d"}`, i) })
			if statuses[200] != 1 || statuses[412] != writers-1 {
				t.Errorf("%v", statuses)
			}
		})
	}
}

// TestCreationHappensOnce: of many requests with one idempotency key at once one
// creates, and the others get its answer or are told to wait (dossier 2.5).
func TestCreationHappensOnce(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			same := func(int) string { return `{"user_name":"once"}` }
			statuses, bodies := race(t, server.URL, "POST", "/api/v1/users", http.Header{"Idempotency-Key": {"race"}}, same)
			if statuses[201] == 0 || statuses[201]+statuses[409] != writers {
				t.Errorf("%v", statuses)
			}
			made := map[string]bool{}
			for _, body := range bodies {
				if strings.HasPrefix(body, `{"id":`) {
					made[body] = true
				} else if !strings.Contains(body, `"idempotency.in_progress"`) {
					t.Errorf("%s", body)
				}
			}
			if len(made) != 1 {
				t.Errorf("%d different users", len(made))
			}
		})
	}
}
