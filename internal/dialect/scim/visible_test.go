package scim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
)

// listed is a list as a client reads it.
type listed struct {
	TotalResults int    `json:"totalResults"`
	NextCursor   string `json:"nextCursor"`
	Resources    []struct {
		ID string `json:"id"`
	} `json:"Resources"`
}

func (l listed) ids() []string {
	ids := []string{}
	for _, r := range l.Resources {
		ids = append(ids, r.ID)
	}
	return ids
}

// list asks for one page.
func list(t testing.TB, server, key string, query url.Values) listed {
	t.Helper()
	query.Set("attributes", "id")
	status, _, body := send(t, server, "GET", "/scim/v2/Users?"+query.Encode(), key, nil)
	var l listed
	if err := json.Unmarshal([]byte(body), &l); err != nil || status != http.StatusOK {
		t.Fatalf("%v: %d %s %v", query, status, body, err)
	}
	return l
}

// TestOnlyTheVisibleIsTold: whatever is filtered and sorted, a key of a company
// gets of what the whole tenant's key gets exactly the users of the company, in
// the same order, page by page by index and by cursor; its totals count these
// (dossier 5.29, 5.18).
func TestOnlyTheVisibleIsTold(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			random := rand.New(rand.NewPCG(7644, 9865))
			bound := crowd(t, server.Service, random)
			visible := list(t, server.URL, bound, url.Values{"count": {"200"}}).ids()
			if len(visible) != 20 {
				t.Fatalf("%d users are visible", len(visible))
			}
			for range 60 {
				query := url.Values{}
				if f := someFilter(random, 2); random.IntN(4) > 0 {
					query.Set("filter", f)
				}
				if by := pick(random, "", "", "userName", "emails", "name.familyName", "meta.lastModified", "displayName"); by != "" {
					query.Set("sortBy", by)
					query.Set("sortOrder", pick(random, "ascending", "descending"))
				}
				query.Set("count", "200")
				all := list(t, server.URL, "", query).ids()
				want := slices.DeleteFunc(all, func(id string) bool { return !slices.Contains(visible, id) })
				got := list(t, server.URL, bound, query)
				if !slices.Equal(got.ids(), want) || got.TotalResults != len(want) {
					t.Errorf("%v: %d of %v, want %v", query, got.TotalResults, got.ids(), want)
				}
				byIndex, byCursor := walk(t, server.URL, bound, query, 1+random.IntN(9))
				if !slices.Equal(byIndex, want) || !slices.Equal(byCursor, want) {
					t.Errorf("%v: by index %v, by cursor %v, want %v", query, byIndex, byCursor, want)
				}
			}
		})
	}
}

// walk reads a list in pages of a size.
func walk(t testing.TB, server, key string, query url.Values, size int) (byIndex, byCursor []string) {
	t.Helper()
	query.Set("count", fmt.Sprint(size))
	for {
		query.Set("startIndex", fmt.Sprint(len(byIndex)+1))
		page := list(t, server, key, query)
		if byIndex = append(byIndex, page.ids()...); len(page.Resources) < size || len(byIndex) >= page.TotalResults {
			break
		}
	}
	query.Del("startIndex")
	for cursor, more := "", true; more; more = cursor != "" {
		query.Set("cursor", cursor)
		page := list(t, server, key, query)
		byCursor, cursor = append(byCursor, page.ids()...), page.NextCursor
	}
	query.Del("cursor")
	return byIndex, byCursor
}

// crowd makes users inside and outside of a company and returns a key of the
// company.
func crowd(t testing.TB, service *directory.Service, random *rand.Rand) string {
	t.Helper()
	ctx, call := context.Background(), directory.System(demo(t, service), "test")
	var companies []int64
	for _, parent := range []int{-1, 0, -1} {
		c := directory.Company{Name: fmt.Sprint("company", len(companies))}
		if parent >= 0 {
			c.Parent = companies[parent]
		}
		made, err := service.CreateCompany(ctx, call, c)
		must(t, err)
		companies = append(companies, made.Number)
	}
	for i := range 30 {
		in := directory.NewUser{State: directory.StateActive, Fields: directory.UserPatch{
			UserName: directory.Some(fmt.Sprintf("%s%d", pick(random, "ann", "Bob", "eve"), i)), Company: directory.Some(companies[i%3]),
			FamilyName: directory.Some(pick(random, "", "Li", "Lima", "Zorn")), Title: directory.Some(pick(random, "", "Guide")),
			DisplayName: directory.Some(pick(random, "", "x", "Y")), Email: directory.Some(pick(random, "", fmt.Sprintf("m%d@x.org", i)))}}
		if random.IntN(3) == 0 {
			in.State = directory.StateInactive
		}
		_, err := service.CreateUser(ctx, call, in)
		must(t, err)
	}
	_, secret, err := service.CreateKey(ctx, call, directory.NewCredential{Name: "company", Rank: directory.RankReader, Root: companies[0]})
	must(t, err)
	return secret
}

func pick(random *rand.Rand, from ...string) string { return from[random.IntN(len(from))] }

// someFilter makes a filter of some conditions.
func someFilter(random *rand.Rand, depth int) string {
	if depth > 0 && random.IntN(2) == 0 {
		if random.IntN(4) == 0 {
			return "not (" + someFilter(random, depth-1) + ")"
		}
		return "(" + someFilter(random, depth-1) + pick(random, " and ", " or ") + someFilter(random, depth-1) + ")"
	}
	return pick(random, `userName sw "ann"`, `userName co "B"`, `userName ew "1"`, `name.familyName eq "lima"`, `title pr`, `active eq "False"`,
		`emails pr`, `emails[type eq "work" and value co "1"]`, `displayName ne "x"`, `meta.created gt "2020-01-01T00:00:00Z"`, `externalId pr`,
		`nickName pr`, `urn:usher:params:scim:schemas:extension:directory:2.0:User:company gt 1`, `id co "7"`, `schemas co "User"`)
}

// TestParallelPatches: of twenty PATCHes at once, each of another attribute or
// value, none is lost (dossier 5.27).
func TestParallelPatches(t *testing.T) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			server := testkit.Start(t, testkit.Options{Engine: engine, Demo: true})
			status, header, body := send(t, server.URL, "POST", "/scim/v2/Users", "", []byte(`{"userName":"everybody"}`))
			if status != http.StatusCreated {
				t.Fatalf("%d %s", status, body)
			}
			location, err := url.Parse(header.Get("Location"))
			must(t, err)
			attributes := []string{"nickName", "title", "userType", "locale", "displayName", "name.givenName", "name.familyName", "name.middleName",
				"timezone", "externalId", "profileUrl", `emails[type eq \"work\"].value`}
			const writers = 20
			var group sync.WaitGroup
			for i := range writers {
				value := fmt.Sprintf(`"w%d@x.org"`, i)
				path := "ims"
				if i < len(attributes) {
					path = attributes[i]
				} else {
					value = fmt.Sprintf(`[{"value":"w%d"}]`, i)
				}
				group.Go(func() {
					status, _, body := send(t, server.URL, "PATCH", location.Path, "", fmt.Appendf(nil, `{"Operations":[{"op":"add","path":"%s","value":%s}]}`, path, value))
					if status != http.StatusOK {
						t.Errorf("%s: %d %s", path, status, body)
					}
				})
			}
			group.Wait()
			_, header, body = send(t, server.URL, "GET", location.Path, "", nil)
			for i := range writers {
				if !strings.Contains(body, fmt.Sprintf(`"w%d`, i)) {
					t.Errorf("writer %d is lost: %s", i, body)
				}
			}
			if got, want := header.Get("ETag"), fmt.Sprintf("%q", fmt.Sprint(writers+1)); got != want {
				t.Errorf("version %s, want %s", got, want)
			}
		})
	}
}
