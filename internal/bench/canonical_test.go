package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/load"
)

const scimType = "application/scim+json"

// BenchmarkLookUp finds one user by user name, e-mail address and external id
// with a filter, through both doors that have one, at 1,000 and at 1,000,000
// users: growth is server time per request.
func BenchmarkLookUp(b *testing.B) {
	small, large := usher(b, 1000), usher(b, 1_000_000)
	for _, d := range []struct{ name, path, userName, email, external string }{
		{"scim", "/scim/v2/Users?filter=", "userName", "emails.value", "externalId"},
		{"canonical", "/api/v1/users?filter=", "user_name", "email", "external_id"},
	} {
		for _, f := range []struct {
			name, attribute string
			value           func(i int) string
		}{
			{"user_name", d.userName, func(i int) string { u := load.User(i); return u.UserName }},
			{"email", d.email, func(i int) string { u := load.User(i); return u.Email }},
			{"external_id", d.external, load.ExternalID},
		} {
			b.Run(d.name+"/"+f.name, func(b *testing.B) {
				loadOf := func(users int) load.Load {
					return load.Load{Conns: 32, Accept: isOK, Next: get(func(int, int) string {
						return d.path + url.QueryEscape(fmt.Sprintf("%s eq %q", f.attribute, f.value(1+rand.IntN(users))))
					})}
				}
				many, few := alternate(b, large, loadOf(1_000_000), small, loadOf(1000))
				many.report(b)
				b.ReportMetric(ratios(many.cpu, few.cpu), "growth-1000-to-1000000")
			})
		}
	}
}

// BenchmarkGroupPatch adds one member to a group, and takes it away again, in a
// group of 100 and in one of 100,000, on one connection: growth is server time
// per request.
func BenchmarkGroupPatch(b *testing.B) {
	const users = 100_000
	path := seeded(b, users)
	servers := []*load.Process{usherOn(b, copyOf(b, path)), usherOn(b, copyOf(b, path))}
	loadOf := func(g load.Group) load.Load {
		u := load.User(50)
		patch := func(op string) []byte {
			body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":%q,"path":"members","value":[{"value":%q}]}]}`, op, u.ID)
			r := load.Request{Method: "PATCH", Path: "/scim/v2/Groups/" + g.ID, Body: body,
				Header: "Authorization: Bearer " + load.Key + "\r\nContent-Type: " + scimType + "\r\n"}
			return r.Append(nil, host)
		}
		step, steps := 0, [][]byte{patch("remove"), patch("add")}
		return load.Load{Conns: 1, Accept: func(status int) bool { return status == 200 || status == 204 }, Next: func(buf []byte, _, _ int) []byte {
			step++ // where a slice ends the next one goes on
			return append(buf, steps[step%2]...)
		}}
	}
	groups := load.Groups(users)
	large, small := alternate(b, servers[1], loadOf(groups[1]), servers[0], loadOf(groups[0]))
	large.report(b)
	b.ReportMetric(ratios(large.cpu, small.cpu), "growth-100-to-100000")
	b.ReportMetric(median(large.p50)/median(small.p50), "p50-growth-100-to-100000")
}

// BenchmarkBulk makes 1,000 users without passwords by one SCIM Bulk, and by as
// many single calls on one connection.
func BenchmarkBulk(b *testing.B) {
	const users = 1000
	server := usherOn(b, copyOf(b, seeded(b, 100_000)))
	serial := 0
	next := func() map[string]any {
		serial++
		name := fmt.Sprintf("bulk%d@kentel.test", serial)
		return map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": name,
			"name":   map[string]string{"givenName": load.GivenNames[serial%len(load.GivenNames)], "familyName": load.FamilyNames[serial%len(load.FamilyNames)]},
			"emails": []map[string]any{{"value": name, "primary": true}}}
	}
	var singles, bulks, quotients []float64
	for b.Loop() {
		for range rounds {
			single := post(b, server, "/scim/v2/Users", users, http.StatusCreated, func() any { return next() })
			bulk := post(b, server, "/scim/v2/Bulk", 1, http.StatusOK, func() any {
				operations := make([]map[string]any, users)
				for i := range operations {
					operations[i] = map[string]any{"method": "POST", "path": "/Users", "bulkId": fmt.Sprint(i), "data": next()}
				}
				return map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": operations}
			})
			singles, bulks = append(singles, single.Seconds()*1000), append(bulks, bulk.Seconds()*1000)
			quotients = append(quotients, single.Seconds()/bulk.Seconds())
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(singles), "1000-single-ms")
	b.ReportMetric(median(bulks), "bulk-ms")
	b.ReportMetric(median(quotients), "times-faster")
}

// post sends bodies one after the other on one connection and returns how long
// that took, the making of the bodies aside.
func post(b *testing.B, p *load.Process, path string, count, status int, body func() any) time.Duration {
	b.Helper()
	requests := make([]*http.Request, count)
	for i := range requests {
		text, err := json.Marshal(body())
		if err != nil {
			b.Fatal(err)
		}
		r, err := http.NewRequest(http.MethodPost, "http://"+p.Addr+path, strings.NewReader(string(text)))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+load.Key)
		r.Header.Set("Content-Type", scimType)
		requests[i] = r
	}
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	began := time.Now()
	for _, r := range requests {
		answer, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		if err := drain(answer, status); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

// drain reads an answer to its end and says what is wrong with it. A bulk
// answer counts only if every operation made something.
func drain(answer *http.Response, status int) error {
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != status || strings.Contains(string(body), `"detail"`)) {
		err = fmt.Errorf("bench: %d %.500s", answer.StatusCode, body)
	}
	return err
}
