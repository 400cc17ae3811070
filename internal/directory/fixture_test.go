package directory_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// The texts that every test may use.
const (
	requestID = "0123456789abcdef"
	password  = "sparrow-lantern-quarry-41"
	otherPass = "violin-harbour-thistle-86"
	licence   = "Full"
)

// start is the moment at which every fixture's clock stands first.
var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// clock is a clock that only a test moves.
type clock struct{ micros atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// fixture is a directory of its own in a real SQLite file, with one tenant.
type fixture struct {
	t      *testing.T
	ctx    context.Context
	path   string
	store  directory.Store
	svc    *directory.Service
	clock  *clock
	tenant directory.Tenant
	root   int64 // number of the tenant's default company
	*shared
}

// shared is what the views of one directory have in common.
type shared struct {
	serial   atomic.Int64
	mu       sync.Mutex
	canaries []string // every secret that was used: none may show in an event
	reading  *sql.DB  // the dump's own connection, made when first used
	lastKey  string   // of adminKey
}

// newFixture opens an empty directory. When the test ends, no event of it may
// hold a secret that the test used (SECURITY.md, Secrets).
func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, ctx: context.Background(), path: filepath.Join(t.TempDir(), "usher.db"), clock: &clock{}, shared: &shared{}}
	f.clock.micros.Store(start.UnixMicro())
	db, err := store.Open(f.ctx, "sqlite:"+f.path, store.Options{Migrate: true})
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	f.store = db
	f.svc = directory.New(db, directory.Options{Now: f.clock.now, Sealer: testSealer(t), PublicURL: "https://users.example.com", CheckpointKey: checkpointKey(1),
		HashCost: directory.HashCost{MemoryKiB: 8, Iterations: 1, Parallelism: 1}, Strangers: 1 << 20})
	f.secret(password, otherPass)
	t.Cleanup(func() {
		f.findCanaries()
		check(t, f.reading.Close())
		if err := db.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	f.tenant = f.newTenant("acme", directory.Settings{})
	f.root = f.tenant.DefaultCompany
	return f
}

// testSealer is a sealer with a key that everybody knows.
func testSealer(t *testing.T) *directory.Sealer {
	return must(directory.NewSealer(bytes.Repeat([]byte{1}, directory.SecretKeyBytes)))(t)
}

// newTenant makes a tenant whose companies and users have numbers that no
// other tenant of the fixture has, so that none is met by chance.
func (f *fixture) newTenant(name string, s directory.Settings) directory.Tenant {
	f.t.Helper()
	first := 1000 * (f.serial.Add(1000) / 1000)
	tenant := must(f.svc.CreateTenant(f.ctx, directory.System(0, "test"),
		directory.Tenant{Name: name, Doors: directory.AllDoors, Settings: s}, directory.Company{Number: first}))(f.t)
	err := f.store.Update(f.ctx, func(tx directory.Tx) error {
		var errs []error
		for _, kind := range []directory.NumberKind{directory.NumberUser, directory.NumberLocation, directory.NumberLockReason,
			directory.NumberRole, directory.NumberAssignment, directory.NumberGroup} {
			errs = append(errs, tx.RaiseNumber(f.ctx, tenant.No, kind, first))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		f.t.Fatalf("raise the numbers: %v", err)
	}
	return tenant
}

// in is the fixture as seen from another tenant.
func (f *fixture) in(tenant directory.Tenant) *fixture {
	other := *f
	other.tenant, other.root = tenant, tenant.DefaultCompany
	return &other
}

// sub is the fixture in a subtest.
func (f *fixture) sub(t *testing.T) *fixture {
	inside := *f
	inside.t = t
	return &inside
}

// settings changes the tenant's settings.
func (f *fixture) settings(change func(t *directory.Tenant)) {
	f.t.Helper()
	next := must(f.svc.TenantByName(f.ctx, f.sys(), f.tenant.Name))(f.t)
	change(&next)
	f.tenant = must(f.svc.UpdateTenant(f.ctx, f.sys(), next))(f.t)
}

// unique makes a name that nothing else in the fixture has.
func (f *fixture) unique(prefix string) string { return fmt.Sprintf("%s-%d", prefix, f.serial.Add(1)) }

// secret notes texts that no event may show.
func (f *fixture) secret(texts ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.canaries = append(f.canaries, texts...)
}

// sys is a call of the server's operator.
func (f *fixture) sys() *directory.Call {
	c := directory.System(f.tenant.No, "test")
	c.RequestID = requestID
	return c
}

// as is a call with a secret through the canonical door.
func (f *fixture) as(secret string) *directory.Call {
	return f.through(directory.DoorCanonical, secret)
}

// through is a call with a secret through a door.
func (f *fixture) through(door directory.Door, secret string) *directory.Call {
	return &directory.Call{Door: door, Secret: directory.Secret(secret), Addr: "192.0.2.7", RequestID: requestID}
}

// key makes an API key of a rank and returns its secret.
func (f *fixture) key(rank directory.Rank, change ...func(*directory.NewCredential)) string {
	f.t.Helper()
	in := directory.NewCredential{Name: f.unique(rank.String()), Rank: rank}
	for _, c := range change {
		c(&in)
	}
	_, secret, err := f.svc.CreateKey(f.ctx, f.sys(), in)
	if err != nil {
		f.t.Fatalf("CreateKey: %v", err)
	}
	f.secret(secret)
	return secret
}

// bound makes an administrator's key that sees only a company's subtree.
func (f *fixture) bound(root int64) string {
	f.t.Helper()
	return f.key(directory.RankAdministrator, func(in *directory.NewCredential) { in.Root = root })
}

// company makes a company below another.
func (f *fixture) company(name string, parent int64) int64 {
	f.t.Helper()
	return must(f.svc.CreateCompany(f.ctx, f.sys(), directory.Company{Name: name, Parent: parent}))(f.t).Number
}

// location makes a location of a company.
func (f *fixture) location(company int64) int64 {
	f.t.Helper()
	return must(f.svc.CreateLocation(f.ctx, f.sys(), directory.Location{Name: f.unique("location"), Company: company}))(f.t).Number
}

// lockReason makes a lock reason of a company.
func (f *fixture) lockReason(company int64) directory.LockReason {
	f.t.Helper()
	name := f.unique("reason")
	return must(f.svc.CreateLockReason(f.ctx, f.sys(), directory.LockReason{Company: company, Name: name, Description: "About " + name}))(f.t)
}

// role makes a role of the tenant that grants a rank.
func (f *fixture) role(rank directory.Rank) directory.Role {
	f.t.Helper()
	return must(f.svc.CreateRole(f.ctx, f.sys(), directory.Role{Name: f.unique("role"), Rank: rank}))(f.t)
}

// newUser is the input for a user with every kind of handle.
func newUser(name string) directory.NewUser {
	return directory.NewUser{ClaimEmail: true, Fields: directory.UserPatch{
		UserName:       directory.Some(name),
		Email:          directory.Some(name + "@example.com"),
		EmployeeNumber: directory.Some("e-" + name),
		OpenID:         directory.Some("https://id.example/" + name),
		WebMDN:         directory.Some("mdn-" + name),
	}}
}

// user makes a user with every kind of handle.
func (f *fixture) user(name string, change ...func(*directory.NewUser)) directory.User {
	f.t.Helper()
	in := newUser(name)
	for _, c := range change {
		c(&in)
	}
	return must(f.svc.CreateUser(f.ctx, f.sys(), in))(f.t)
}

// someone makes a user whose name does not matter.
func (f *fixture) someone(change ...func(*directory.NewUser)) directory.User {
	f.t.Helper()
	return f.user(f.unique("user"), change...)
}

// Changes of a new user.
func withPassword(in *directory.NewUser) { in.Password = password }
func withLicence(in *directory.NewUser)  { in.Fields.LicenceType = directory.Some(licence) }
func withState(s directory.State) func(*directory.NewUser) {
	return func(in *directory.NewUser) { in.State = s }
}
func withCompany(c int64) func(*directory.NewUser) {
	return func(in *directory.NewUser) { in.Fields.Company = directory.Some(c) }
}

// ranked makes a user with a password who has a rank by role or as the owner.
func (f *fixture) ranked(rank directory.Rank) directory.User {
	f.t.Helper()
	u := f.someone(withPassword)
	switch rank {
	case directory.RankSelf:
	case directory.RankOwner:
		check(f.t, f.svc.SetOwner(f.ctx, f.sys(), directory.ByNumber(u.Number)))
	default:
		_, _, err := f.svc.AssignRole(f.ctx, f.sys(), directory.ByNumber(u.Number), f.role(rank).Number, f.root)
		check(f.t, err)
	}
	return f.stored(u.Number)
}

// client makes an OAuth client.
func (f *fixture) client(change ...func(*directory.NewCredential)) directory.Grant {
	f.t.Helper()
	in := directory.NewCredential{Name: f.unique("client")}
	for _, c := range change {
		c(&in)
	}
	made, secret, err := f.svc.CreateClient(f.ctx, f.sys(), in)
	if err != nil {
		f.t.Fatalf("CreateClient: %v", err)
	}
	f.secret(secret)
	return directory.Grant{ClientID: made.ClientID, ClientSecret: directory.Secret(secret)}
}

// grant asks for tokens through the iqmetrix door.
func (f *fixture) grant(client directory.Grant, name, pass string) (directory.TokenPair, error) {
	client.UserName, client.Password = name, directory.Secret(pass)
	pair, err := f.svc.PasswordGrant(f.ctx, f.through(directory.DoorIQmetrix, ""), client)
	if err == nil {
		f.secret(pair.Access, pair.Refresh)
	}
	return pair, err
}

// refresh spends a refresh token through the iqmetrix door.
func (f *fixture) refresh(client directory.Grant, token string) (directory.TokenPair, error) {
	client.RefreshToken = directory.Secret(token)
	pair, err := f.svc.RefreshGrant(f.ctx, f.through(directory.DoorIQmetrix, ""), client)
	if err == nil {
		f.secret(pair.Access, pair.Refresh)
	}
	return pair, err
}

// session signs a user in and returns the call of its session.
func (f *fixture) session(u directory.User) func() *directory.Call {
	f.t.Helper()
	pair := must(f.grant(f.client(), u.UserName, password))(f.t)
	return func() *directory.Call { return f.through(directory.DoorIQmetrix, pair.Access) }
}

// alive reports whether a token still opens its user's record.
func (f *fixture) alive(token string, user int64) bool {
	f.t.Helper()
	_, err := f.svc.User(f.ctx, f.through(directory.DoorIQmetrix, token), directory.ByNumber(user))
	if err != nil && directory.CodeOf(err) != directory.CodeUnauthenticated {
		f.t.Fatalf("User with a token: %v", err)
	}
	return err == nil
}

// stored reads a user as the store has it.
func (f *fixture) stored(number int64) directory.User {
	f.t.Helper()
	var u directory.User
	check(f.t, f.store.Read(f.ctx, func(r directory.Reader) (err error) {
		u, err = r.UserByNumber(f.ctx, f.tenant.No, number)
		return err
	}))
	return u
}

// holder is the number of the user that holds a handle, 0 for none.
func (f *fixture) holder(space directory.Space, text string) int64 {
	f.t.Helper()
	key := must(directory.FoldKey(space, text))(f.t)
	var h directory.Handle
	err := f.store.Read(f.ctx, func(r directory.Reader) (err error) {
		h, err = r.HandleByKey(f.ctx, f.tenant.No, space, key)
		return err
	})
	if errors.Is(err, directory.ErrNotFound) {
		return 0
	}
	check(f.t, err)
	return h.User
}

// pool is the tenant's pool of a licence type.
func (f *fixture) pool(licenceType string) directory.Pool {
	f.t.Helper()
	for _, p := range must(f.svc.Pools(f.ctx, f.sys()))(f.t) {
		if p.Type == licenceType {
			return p
		}
	}
	return directory.Pool{Total: -1}
}

// setPool limits a licence type.
func (f *fixture) setPool(total int64) {
	f.t.Helper()
	must(f.svc.SetPool(f.ctx, f.sys(), licence, total))(f.t)
}

// must unwraps a result that must not be an error.
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		check(t, err)
		return v
	}
}

// check stops the test on an error.
func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

// wantError fails unless err has the code and the reason.
func wantError(t testing.TB, err error, code directory.Code, reason directory.Reason) {
	t.Helper()
	if err == nil || directory.CodeOf(err) != code || directory.AsError(err).Reason != reason {
		t.Errorf("got error %v, want %s (%s)", err, code, reason)
	}
}

// fieldReasons are the violations of an error, as "field reason".
func fieldReasons(err error) []string {
	var out []string
	if err == nil {
		return nil
	}
	for _, v := range directory.AsError(err).Fields {
		out = append(out, v.Field+" "+string(v.Reason))
	}
	return out
}

// raw is JSON as a patch takes it.
func raw(text string) json.RawMessage { return json.RawMessage(text) }
