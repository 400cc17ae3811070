package crossdoor

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/testkit"
	"github.com/usher-id/usher/internal/testkit/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// start starts a server. It believes X-Forwarded-For, so that each world has an
// address and with it a limit of sign-ins of its own.
func start(t *testing.T, engine string) *testkit.Server {
	t.Helper()
	return testkit.Start(t, testkit.Options{Engine: engine, Tune: believe})
}

func believe(c *config.Config) { c.TrustedProxies = []string{"127.0.0.1"} }

// onEngines runs a test on a server of each engine.
func onEngines(t *testing.T, test func(t *testing.T, s *testkit.Server)) {
	for _, engine := range testkit.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, start(t, engine))
		})
	}
}

// world is a tenant with all that the doors can name, and a credential of an
// administrator for each door.
type world struct {
	server  *testkit.Server
	service *directory.Service
	tenant  directory.Tenant
	wire    wire
	doors   []*door

	key          string // API key of an administrator
	boss         string // user name of an administrator
	bossPassword string
	apiUser      string // EduBrite
	apiPassword  string
	clientID     string // OAuth
	clientSecret string
	canonicalKey apiKey // of administrators, each its door's own
	scimKey      apiKey
	bossSession  *canonical // of the administrator, once there is one: sign-ins are limited

	group   directory.Group // plain, "Crew"
	office  directory.Location
	reason  directory.LockReason
	role    directory.Role // of the tenant, without a rank
	seats   string         // licence type of the pool
	persons atomic.Int64
}

// apiKey is an API key.
type apiKey struct{ id, secret string }

// The names that every world has.
const (
	crew        = "Crew"
	otherGroup  = "Relief"
	dashboard   = "Operations"
	otherTeam   = "TEAM-2"
	officeName  = "Big Windy"
	firstSecret = "Correct-Horse-1-Battery"
	newSecret   = "Staple-Tuesday-9-Harbour"
)

var worlds atomic.Int64

// newWorld makes a tenant that is found by a host name of its own.
func newWorld(t *testing.T, s *testkit.Server) *world {
	t.Helper()
	n := worlds.Add(1)
	w := &world{server: s, service: s.Service, boss: "boss", bossPassword: "Granite-Window-7-Lamp", seats: "regular"}
	host := fmt.Sprintf("w%d.example.test", n)
	var err error
	w.tenant, err = s.Service.CreateTenant(t.Context(), directory.System(0, "test"),
		directory.Tenant{Name: fmt.Sprintf("world-%d", n), Hosts: []string{host}}, directory.Company{Name: "Kentel"})
	must(t, err)
	w.wire = wire{url: s.URL, host: host, addr: fmt.Sprintf("198.51.%d.%d", n/250, n%250+1)}
	w.furnish(t)
	w.credentials(t)
	w.doors = []*door{
		{"iqmetrix", newIQmetrix(w)},
		{"encore", newEncore(w)},
		{"edubrite", newEduBrite(t, w)},
		{"servicemobility", newServiceMobility(t, w)},
		{"smartapp", newSmartapp(w)},
		{"canonical", newCanonical(w)},
		{"scim", newSCIM(w)},
	}
	return w
}

// system is a call of the core itself.
func (w *world) system() *directory.Call { return directory.System(w.tenant.No, "test") }

// furnish makes what users can belong to.
func (w *world) furnish(t *testing.T) {
	t.Helper()
	ctx, company := t.Context(), w.tenant.DefaultCompany
	var err error
	w.group, err = w.service.CreateGroup(ctx, w.system(), directory.Group{Kind: directory.GroupPlain, Name: crew})
	must(t, err)
	for _, g := range []directory.Group{
		{Kind: directory.GroupPlain, Name: otherGroup},
		{Kind: directory.GroupDashboard, Name: dashboard},
		{Kind: directory.GroupServiceTeam, Key: crew, Name: crew},
		{Kind: directory.GroupServiceTeam, Key: otherTeam, Name: otherTeam},
	} {
		_, err := w.service.CreateGroup(ctx, w.system(), g)
		must(t, err)
	}
	w.office, err = w.service.CreateLocation(ctx, w.system(), directory.Location{Company: company, Name: officeName})
	must(t, err)
	w.reason, err = w.service.CreateLockReason(ctx, w.system(), directory.LockReason{Company: company, Name: "Paperwork", Description: "The paperwork is not done."})
	must(t, err)
	w.role, err = w.service.CreateRole(ctx, w.system(), directory.Role{Key: "technician", Name: "technician"})
	must(t, err)
	for _, licence := range []string{w.seats, "employee"} {
		_, err = w.service.SetPool(ctx, w.system(), licence, 100)
		must(t, err)
	}
}

// credentials makes one of each kind. The tenant's administrator is a person,
// for the doors that know no keys.
func (w *world) credentials(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	_, key, err := w.service.CreateKey(ctx, w.system(), directory.NewCredential{Name: "key", Rank: directory.RankAdministrator})
	must(t, err)
	for _, k := range []*apiKey{&w.canonicalKey, &w.scimKey} {
		made, secret, err := w.service.CreateKey(ctx, w.system(), directory.NewCredential{Name: "own key", Rank: directory.RankAdministrator})
		must(t, err)
		*k = apiKey{made.ID, secret}
	}
	api, apiSecret, err := w.service.CreateAPIUser(ctx, w.system(), directory.NewCredential{Name: "api", Rank: directory.RankAdministrator})
	must(t, err)
	client, clientSecret, err := w.service.CreateClient(ctx, w.system(), directory.NewCredential{Name: "client"})
	must(t, err)
	_, err = w.service.CreateUser(ctx, w.system(), directory.NewUser{Password: w.bossPassword,
		Fields: directory.UserPatch{UserName: directory.Some(w.boss), Administrator: directory.Some(true)}})
	must(t, err)
	w.key, w.apiUser, w.apiPassword, w.clientID, w.clientSecret = key, api.ClientID, apiSecret, client.ClientID, clientSecret
}

// door is the client of a door by its name.
func (w *world) door(t *testing.T, name string) *door {
	t.Helper()
	for _, d := range w.doors {
		if d.name == name {
			return d
		}
	}
	t.Fatalf("there is no door %q", name)
	return nil
}

// newcomer is a person whom nobody in the world resembles.
func (w *world) newcomer() person {
	n := w.persons.Add(1)
	family := fmt.Sprintf("bates%s", letters(n))
	// The user name is what a door draws that lets nobody choose one.
	return person{userName: "j" + family + "1", given: "Jo", family: "B" + family[1:], email: family + "@example.test", password: firstSecret}
}

// letters writes a number in letters, so that it may end a family name.
func letters(n int64) string {
	text := ""
	for ; n > 0; n /= 26 {
		text = string(rune('a'+n%26)) + text
	}
	return text
}

// user reads a user in whatever state.
func (w *world) user(t testing.TB, number int64) directory.User {
	t.Helper()
	page, err := w.service.Users(context.Background(), w.system(), directory.UserQuery{States: directory.StatesOf(directory.States[:]...), After: number - 1, Limit: 1})
	must(t, err)
	if len(page.Users) != 1 || page.Users[0].Number != number {
		t.Fatalf("there is no user %d", number)
	}
	return page.Users[0]
}

// detail reads a living user with all that belongs to it.
func (w *world) detail(t testing.TB, number int64) directory.UserDetail {
	t.Helper()
	detail, err := w.service.UserDetail(context.Background(), w.system(), directory.ByNumber(number), directory.IncludeLocations|directory.IncludeGroups|directory.IncludeRoles)
	must(t, err)
	return detail
}

// used is how many seats of the pool are taken.
func (w *world) used(t testing.TB) int64 {
	t.Helper()
	pools, err := w.service.Pools(context.Background(), w.system())
	must(t, err)
	for _, pool := range pools {
		if pool.Type == w.seats {
			return pool.Used
		}
	}
	t.Fatalf("there is no pool %q", w.seats)
	return 0
}

// lastEvent is the newest event about a user.
func (w *world) lastEvent(t testing.TB, number int64) directory.Event {
	t.Helper()
	var last directory.Event
	for after := int64(0); ; {
		events, err := w.service.Events(context.Background(), w.system(), after, 1000)
		must(t, err)
		if len(events) == 0 {
			return last
		}
		for _, e := range events {
			after = e.Seq
			if e.User == number && e.Type != directory.EventSignedIn {
				last = e
			}
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
