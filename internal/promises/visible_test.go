package promises

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// TestPromiseD_ListsShowWhatIsVisible: no filter, sort, total or cursor tells
// anything of a user whom the caller cannot read. Of whatever filter and order,
// a caller who is bound to a company gets what the tenant's administrator gets,
// in the same order, without the users of other companies, and as total how many
// these are; and a cursor is good for the caller to whom it was given alone.
func TestPromiseD_ListsShowWhatIsVisible(t *testing.T) {
	t.Parallel()
	s := start(t, "sqlite")
	w := newWorld(t, s)
	random := rand.New(rand.NewPCG(4, 2))
	var roots [2]int64
	for i := range roots {
		c, err := w.service.CreateCompany(t.Context(), w.system(), directory.Company{Name: fmt.Sprintf("Half %d", i)})
		must(t, err)
		roots[i] = c.Number
	}
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	mine := map[string]bool{}
	for i := range 40 {
		u := w.person(t, func(in *directory.NewUser) {
			in.Password = ""
			in.Fields.GivenName, in.Fields.FamilyName = directory.Some(pick("Ada", "Bo", "Cy")), directory.Some(pick("Lum", "Mos", "Nix"))
			in.Fields.Title, in.Fields.Company = directory.Some(pick("", "Clerk", "Driver")), directory.Some(roots[i%2])
			in.State = []directory.State{directory.StateActive, directory.StateInactive, directory.StateStaged}[random.IntN(3)]
		})
		if i%2 == 0 {
			mine[u.ID] = true
		}
	}
	bound := w.credentialsOf(t, directory.NewCredential{Name: "bound", Rank: directory.RankReader, Root: roots[0]}, w.boss.UserName)
	for range 60 {
		filter := pick("given_name", "family_name", "title", "status", "user_name") + pick(" eq ", " ne ", " co ", " sw ", " gt ", " lt ") + `"` + pick("Ada", "Bo", "lum", "Mos", "Clerk", "active", "person1", "a", "") + `"`
		if random.IntN(2) == 0 {
			filter = "(" + filter + ")" + pick(" and ", " or ") + pick("not ", "") + `(family_name co "` + pick("o", "i", "u") + `")`
		}
		sort := pick("", "user_name", "-user_name", "family_name", "-number", "created_at")
		at := fmt.Sprintf("/api/v1/users?total=true&limit=%d&filter=%s", 1+random.IntN(7), query(filter))
		if sort != "" {
			at += "&sort=" + sort
		}
		w.comparePages(t, at, bound["canonical"], mine)
		scim := strings.NewReplacer("given_name", "name.givenName", "family_name", "name.familyName", "user_name", "userName", "status eq", "title eq", "status", "title").Replace(filter)
		w.compareSCIM(t, "/scim/v2/Users?count=100&filter="+query(scim), bound["scim"], mine)
	}
	for _, search := range []string{"ada", "lum", "person", "cl", "nix mos"} {
		w.compareCounts(t, search, roots[0], bound["iqmetrix"])
	}
	w.cursorsAreOnes(t, bound)
}

// pageOf asks for all pages of a list of the canonical door.
func (w *world) pagesOf(t *testing.T, at string, header map[string]string) (ids []string, total float64, status int) {
	t.Helper()
	for next := at; ; {
		a := w.do(t, request{"GET", next, "", header})
		if a.status != http.StatusOK {
			return nil, 0, a.status
		}
		page := a.object()
		items, _ := page["items"].([]any)
		for _, item := range items {
			o, _ := item.(map[string]any)
			id, _ := o["id"].(string)
			ids = append(ids, id)
		}
		total, _ = page["total"].(float64)
		cursor, _ := page["next_cursor"].(string)
		if cursor == "" {
			return ids, total, a.status
		}
		next = at + "&cursor=" + query(cursor)
	}
}

func (w *world) comparePages(t *testing.T, at string, bound map[string]string, mine map[string]bool) {
	t.Helper()
	all, _, status := w.pagesOf(t, at, w.headers["canonical"])
	have, total, boundStatus := w.pagesOf(t, at, bound)
	want := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return !mine[id] })
	if status != boundStatus || status >= 500 {
		t.Errorf("%s: %d, for whoever is bound %d", at, status, boundStatus)
	}
	if diff := cmp.Diff(want, have); diff != "" && len(want)+len(have) > 0 {
		t.Errorf("%s (-visible +shown):\n%s", at, diff)
	}
	if status == http.StatusOK && int(total) != len(want) {
		t.Errorf("%s: the total is %v, visible are %d", at, total, len(want))
	}
}

func (w *world) compareSCIM(t *testing.T, at string, bound map[string]string, mine map[string]bool) {
	t.Helper()
	ids := func(header map[string]string) (list []string, total float64) {
		page := w.do(t, request{"GET", at, "", header}).object()
		resources, _ := page["Resources"].([]any)
		for _, r := range resources {
			o, _ := r.(map[string]any)
			id, _ := o["id"].(string)
			list = append(list, id)
		}
		total, _ = page["totalResults"].(float64)
		return list, total
	}
	all, _ := ids(w.headers["scim"])
	have, total := ids(bound)
	want := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return !mine[id] })
	if diff := cmp.Diff(want, have); diff != "" && len(want)+len(have) > 0 {
		t.Errorf("%s (-visible +shown):\n%s", at, diff)
	}
	if int(total) != len(want) {
		t.Errorf("%s: the total is %v, visible are %d", at, total, len(want))
	}
}

// compareCounts holds iqmetrix's search in the tenant's root against that in the
// caller's own company.
func (w *world) compareCounts(t *testing.T, terms string, root int64, bound map[string]string) {
	t.Helper()
	ask := func(company int64, header map[string]string) answer {
		return w.do(t, request{"GET", fmt.Sprintf("/v1/Entities(%d)/Users/Search?terms=%s", company, query(terms)), "", header})
	}
	whole, part := ask(root, w.headers["iqmetrix"]), ask(root, bound)
	if whole.status != http.StatusOK || whole.body != part.body {
		t.Errorf("search for %q: %d %.200s, for whoever is bound %d %.200s", terms, whole.status, whole.body, part.status, part.body)
	}
	if a := ask(w.tenant.DefaultCompany, bound); a.status != http.StatusNotFound {
		t.Errorf("search in a company above: %d %.200s", a.status, a.body)
	}
}

// cursorsAreOnes takes a cursor of one caller to another.
func (w *world) cursorsAreOnes(t *testing.T, bound map[string]map[string]string) {
	t.Helper()
	for path, name := range map[string]string{"/api/v1/users?limit=1": "next_cursor", "/scim/v2/Users?count=1&cursor=": "nextCursor"} {
		door := "canonical"
		if strings.HasPrefix(path, "/scim") {
			door = "scim"
		}
		cursor := w.want(t, http.StatusOK, request{"GET", path, "", w.headers[door]}).text(name)
		next := strings.TrimSuffix(path, "&cursor=") + "&cursor=" + query(cursor)
		if a := w.do(t, request{"GET", next, "", bound[door]}); a.status != http.StatusBadRequest || cursor == "" {
			t.Errorf("%s with a cursor of another caller: %d %.300s", path, a.status, a.body)
		}
		if a := w.do(t, request{"GET", next, "", w.headers[door]}); a.status != http.StatusOK {
			t.Errorf("%s with the own cursor: %d %.300s", path, a.status, a.body)
		}
	}
}
