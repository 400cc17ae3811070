package load

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

// Key is the administrator key of a seeded directory. Such a directory is for
// measuring, on this machine: the key is published here.
const Key = "bench-administrator-key"

// Who signs in to the doors that take no key: an administrator with a password,
// an API user that acts for the administrator, and an OAuth client. Every seeded
// user has the administrator's password.
const (
	Admin       = "bench.administrator"
	APIUser     = "bench-api-user"
	OAuthClient = "bench-oauth-client"
	AdminSecret = "Granite-Window-7-Lamp"
)

// Company is the company whose subtree holds every seeded user: its child
// companies are numbered from Company+1.
const Company = 100

const (
	children = 20        // how many companies the users are spread over
	marker   = 99        // company whose name says what the directory was seeded with
	licence  = "regular" // the licence type of those who have one
	// seats are more than a directory of a million users and its creates need.
	seats = 50_000_000
	// layout counts the versions of what Seed writes.
	layout = 3
)

// markerName is the name of the marker of a directory of n users.
func markerName(n int) string { return fmt.Sprintf("seeded by bench: %d users, layout %d", n, layout) }

// Seed fills an empty store with a tenant, its companies, the credentials, n
// users with handles, external ids, passwords, licences and events, two groups
// and the administrator. progress, unless nil, hears how many users are there.
func Seed(ctx context.Context, store directory.Store, n int, progress func(int)) error {
	s := seeder{ctx: ctx, size: n, store: store, service: directory.New(store, directory.Options{}), progress: progress}
	for _, step := range []func() error{s.tenantAndCompanies, s.credentials, s.users, s.groups} {
		if err := step(); err != nil {
			return fmt.Errorf("seed: %w", err)
		}
	}
	_, err := s.service.CreateCompany(ctx, s.call(), directory.Company{Number: marker, Name: markerName(n)})
	return err
}

// Size says how many users a directory was seeded with: 0 when it has nothing,
// and an error when somebody else filled it or seeding was broken off.
func Size(ctx context.Context, store directory.Store) (int, error) {
	service := directory.New(store, directory.Options{})
	tenants, err := service.Tenants(ctx, directory.System(0, "bench"))
	if err != nil || len(tenants) == 0 {
		return 0, err
	}
	for i := range tenants {
		c, err := service.Company(ctx, directory.System(tenants[i].No, "bench"), marker)
		var n, version int
		if _, scanErr := fmt.Sscanf(c.Name, "seeded by bench: %d users, layout %d", &n, &version); err == nil && scanErr == nil && version == layout {
			return n, nil
		}
	}
	return 0, errors.New("it has tenants that bench did not seed, or not to the end: give it an empty one")
}

// seeder seeds one directory.
type seeder struct {
	ctx      context.Context // of the one Seed
	size     int
	store    directory.Store
	service  *directory.Service
	progress func(int)
	tenant   directory.TenantNo
	key      string // id of Key
	hash     string // of AdminSecret
}

func (s *seeder) call() *directory.Call { return directory.System(s.tenant, "bench") }

func (s *seeder) tenantAndCompanies() error {
	// The generator is the runaway client that the limit of requests is for.
	perMinute := map[string]int{}
	for _, door := range Doors() {
		perMinute[door] = 1_000_000_000
	}
	tenant, err := s.service.CreateTenant(s.ctx, s.call(), directory.Tenant{Name: "bench", Settings: directory.Settings{RequestsPerMinute: perMinute}}, directory.Company{})
	if err != nil {
		return err
	}
	s.tenant = tenant.No
	for c := range children + 1 {
		company := directory.Company{Number: int64(Company + c), Name: fmt.Sprintf("Company %d", c)}
		if c > 0 {
			company.Parent = Company
		}
		if _, err := s.service.CreateCompany(s.ctx, s.call(), company); err != nil {
			return err
		}
	}
	_, err = s.service.SetPool(s.ctx, s.call(), licence, seats)
	return err
}

func (s *seeder) credentials() error {
	key, _, err := s.service.CreateKey(s.ctx, s.call(), directory.NewCredential{Name: "bench", Secret: Key, Rank: directory.RankAdministrator})
	if err != nil {
		return err
	}
	s.key = key.ID
	api := directory.NewCredential{Name: "bench", ClientID: APIUser, Secret: AdminSecret, Rank: directory.RankAdministrator}
	if _, _, err := s.service.CreateAPIUser(s.ctx, s.call(), api); err != nil {
		return err
	}
	client := directory.NewCredential{Name: "bench", ClientID: OAuthClient, Secret: AdminSecret}
	if _, _, err := s.service.CreateClient(s.ctx, s.call(), client); err != nil {
		return err
	}
	// The numbers before are the seeded users'.
	admin, err := s.service.CreateUser(s.ctx, s.call(), directory.NewUser{Number: int64(s.size) + 1, Password: AdminSecret, Fields: directory.UserPatch{
		UserName: directory.Some(Admin), Administrator: directory.Some(true), Company: directory.Some[int64](Company)}})
	if err != nil {
		return err
	}
	return s.store.View(s.ctx, func(r directory.Reader) error {
		password, err := r.Password(s.ctx, s.tenant, admin.Number)
		s.hash = password.Hash
		return err
	})
}

// loadAtOnce is how many users are made and written at a time.
const loadAtOnce = 500

// users writes the users, and makes the next ones meanwhile.
func (s *seeder) users() error {
	pages := make(chan []directory.UserLoad, 2)
	quit := make(chan struct{})
	defer close(quit)
	go func() {
		defer close(pages)
		for first := 1; first <= s.size; first += loadAtOnce {
			page := make([]directory.UserLoad, 0, loadAtOnce)
			for i := first; i <= min(first+loadAtOnce-1, s.size); i++ {
				page = append(page, s.load(i))
			}
			select {
			case pages <- page:
			case <-quit:
				return
			}
		}
	}()
	done := 0
	for page := range pages {
		if err := s.store.Update(s.ctx, func(tx directory.Tx) error { return s.write(tx, page) }); err != nil {
			return err
		}
		if done += len(page); s.progress != nil {
			s.progress(done)
		}
	}
	return s.store.Seal(s.ctx, s.tenant)
}

// write writes a page of users; it may run twice.
func (s *seeder) write(tx directory.Tx, page []directory.UserLoad) error {
	var licensed []int
	for i := range page {
		if u := &page[i].User; u.LicenceType != "" && u.State == directory.StateActive {
			licensed = append(licensed, i)
		}
	}
	taken, err := tx.TakeSeats(s.ctx, s.tenant, licence, len(licensed))
	if err != nil {
		return err
	}
	if len(taken) < len(licensed) {
		return fmt.Errorf("%d seats for %d users", len(taken), len(licensed))
	}
	for at, i := range licensed {
		page[i].User.Seat = taken[at]
	}
	if err := tx.LoadUsers(s.ctx, s.tenant, page); err != nil {
		return err
	}
	return tx.RaiseNumber(s.ctx, s.tenant, directory.NumberUser, page[len(page)-1].User.Number)
}

// load is the i-th user with everything that comes with it but its seat.
func (s *seeder) load(i int) directory.UserLoad {
	u := User(i)
	u.Tenant = s.tenant
	external := ExternalID(i)
	u.Profile.ExternalIDs = map[string]string{s.key: external}
	out := directory.UserLoad{User: u, Password: directory.Password{User: u.Number, Hash: s.hash, SetAt: u.CreatedAt}, Event: s.event(&u)}
	for _, h := range []directory.Handle{{Space: directory.SpaceLogin, Key: u.UserName, Kinds: directory.HandleUserName},
		{Space: directory.SpaceLogin, Key: u.Email, Kinds: directory.HandleEmail},
		{Space: directory.ExternalSpace(s.key), Key: external, Kinds: directory.HandleKey}} {
		if h.Space == directory.SpaceLogin {
			key, err := directory.FoldKey(h.Space, h.Key)
			if err != nil {
				panic(fmt.Sprintf("load: the seeded name %q: %v", h.Key, err)) // User makes none that is refused
			}
			h.Key = key
		}
		h.User = u.Number
		out.Handles = append(out.Handles, h)
	}
	return out
}

// event is that a user was created.
func (s *seeder) event(u *directory.User) directory.Event {
	changes := map[string][2]string{}
	for name, value := range map[string]string{"user_name": u.UserName, "email": u.Email, "given_name": u.GivenName, "family_name": u.FamilyName,
		"title": u.Title, "client_user_id": u.ClientUserID} {
		changes[name] = [2]string{"", value}
	}
	payload, err := json.Marshal(map[string]any{"version": u.Version, "changes": changes})
	if err != nil {
		panic(err) // texts only
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	return directory.Event{Tenant: s.tenant, ID: uuid.Must(uuid.NewV7()).String(), Type: directory.EventUserCreated, User: u.Number, UserID: u.ID, Company: u.Company,
		Door: directory.DoorCLI, Actor: "system:bench", Origin: "system:bench", Time: u.CreatedAt, Salt: salt, Payload: payload}
}

// Group is a seeded group: its members are the users numbered from 1 to Size.
type Group struct {
	ID   string
	Size int
}

// Groups are the groups of a directory of n users: one of 100, and one of
// 100,000 or of all.
func Groups(n int) []Group {
	id := func(name string) string { return uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)).String() }
	return []Group{{id("small group"), min(n, 100)}, {id("large group"), min(n, 100_000)}}
}

// groups makes the groups with their members.
func (s *seeder) groups() error {
	for _, g := range Groups(s.size) {
		made, err := s.service.CreateGroup(s.ctx, s.call(), directory.Group{ID: g.ID, Kind: directory.GroupPlain, Name: fmt.Sprintf("Group %s", g.ID)})
		if err != nil {
			return err
		}
		for first := 1; first <= g.Size; first += loadAtOnce {
			err := s.store.Update(s.ctx, func(tx directory.Tx) error {
				for i := first; i < min(first+loadAtOnce, g.Size+1); i++ {
					if _, err := tx.SetGroupMember(s.ctx, s.tenant, made.Number, int64(i), "", 0); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
