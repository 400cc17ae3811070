package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/usher-id/usher/internal/directory"
)

// Key is the administrator key of a seeded directory.
const Key = "bench-administrator-key"

// Who signs in to the doors that take no key: an administrator with a password,
// and an API user, whose name is the client's, that acts for the administrator.
const (
	Admin       = "bench.administrator"
	APIUser     = "bench-api-user"
	AdminSecret = "Granite-Window-7-Lamp"
)

// Company is the company whose subtree holds every seeded user: its child
// companies are numbered from Company+1.
const Company = 100

// children is how many companies the users are spread over.
const children = 20

// names makes n names of two syllables or three that differ from each other.
func names(n int, seed uint64) []string {
	syllables := []string{"ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu",
		"va", "we", "xi", "yo", "zu", "bran", "chel", "dorf", "fenn", "gorm", "holt", "lind", "mark", "sten", "wick"}
	random := rand.New(rand.NewPCG(seed, 7))
	seen := map[string]bool{}
	var list []string
	for len(list) < n {
		name := syllables[random.IntN(len(syllables))] + syllables[random.IntN(len(syllables))]
		if random.IntN(2) == 0 {
			name += syllables[random.IntN(len(syllables))]
		}
		if !seen[name] {
			seen[name] = true
			list = append(list, string(name[0]-32)+name[1:])
		}
	}
	return list
}

// Given and family names: 180 × 180, so that a pair is about 30 people of a
// million.
var (
	givenNames  = names(180, 1)
	familyNames = names(180, 2)
)

// User is the i-th seeded user, from 1; its number is i.
func User(i int) directory.User {
	random := rand.New(rand.NewPCG(uint64(i), 11))
	given, family := givenNames[random.IntN(len(givenNames))], familyNames[random.IntN(len(familyNames))]
	login := fmt.Sprintf("%c%s%d", given[0]|32, family, i)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second)
	return directory.User{
		Number: int64(i), ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(login)).String(), State: directory.StateActive,
		UserName: login + "@kentel.test", Email: login + "@mail.kentel.test", EmailClaimed: true, GivenName: given, FamilyName: family,
		Title: "Sales Clerk", Company: Company + 1 + int64(random.IntN(children)), ClientUserID: fmt.Sprint(i),
		Phones:    []directory.Phone{{Number: fmt.Sprintf("613555%04d", i%10000), Extension: "5532", Type: "Work"}},
		Address:   directory.Address{Set: true, Line1: "1432 Merry View Road", City: "Big Windy", Region: "ON", Country: "CA", Zip: "A1A2B2"},
		AuthEpoch: 1, Version: 1, DoorVersion: 1, CreatedAt: at, UpdatedAt: at,
	}
}

// ExternalID is what the key's client calls the i-th user.
func ExternalID(i int) string { return fmt.Sprintf("00u%08d", i) }

// Seed fills an empty store with a tenant, its companies, the credentials,
// n users with external ids, two groups and the administrator. Users go in 500 to a transaction and without events: it is the
// reading side that is measured on them.
func Seed(ctx context.Context, store directory.Store, n int) error {
	service := directory.New(store, directory.Options{})
	tenant, err := service.CreateTenant(ctx, directory.System(0, "bench"), directory.Tenant{Name: "bench"}, directory.Company{})
	if err != nil {
		return err
	}
	call := func() *directory.Call { return directory.System(tenant.No, "bench") }
	for c := range children + 1 {
		company := directory.Company{Number: int64(Company + c), Name: fmt.Sprintf("Company %d", c)}
		if c > 0 {
			company.Parent = Company
		}
		if _, err := service.CreateCompany(ctx, call(), company); err != nil {
			return err
		}
	}
	key, _, err := service.CreateKey(ctx, call(), directory.NewCredential{Name: "bench", Secret: Key, Rank: directory.RankAdministrator})
	if err != nil {
		return err
	}
	api := directory.NewCredential{Name: "bench", ClientID: APIUser, Secret: AdminSecret, Rank: directory.RankAdministrator}
	if _, _, err := service.CreateAPIUser(ctx, call(), api); err != nil {
		return err
	}
	const batch = 500
	for first := 1; first <= n; first += batch {
		err := store.Update(ctx, func(tx directory.Tx) error { return insert(ctx, tx, tenant.No, key.ID, first, min(first+batch-1, n)) })
		if err != nil {
			return err
		}
	}
	for _, g := range Groups(n) {
		if err := seedGroup(ctx, service, store, tenant.No, g); err != nil {
			return err
		}
	}
	_, err = service.CreateUser(ctx, call(), directory.NewUser{Password: AdminSecret, Fields: directory.UserPatch{
		UserName: directory.Some(Admin), Administrator: directory.Some(true), Company: directory.Some[int64](Company)}})
	return err
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

// seedGroup makes a group with its members.
func seedGroup(ctx context.Context, service *directory.Service, store directory.Store, tenant directory.TenantNo, g Group) error {
	made, err := service.CreateGroup(ctx, directory.System(tenant, "bench"),
		directory.Group{ID: g.ID, Kind: directory.GroupPlain, Name: fmt.Sprintf("Group %s", g.ID)})
	if err != nil {
		return err
	}
	const batch = 500
	for first := 1; first <= g.Size; first += batch {
		err := store.Update(ctx, func(tx directory.Tx) error {
			for i := first; i < min(first+batch, g.Size+1); i++ {
				if _, err := tx.SetGroupMember(ctx, tenant, made.Number, int64(i), "", 0); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// insert writes the users numbered from first to last, with external ids of a
// credential.
func insert(ctx context.Context, tx directory.Tx, tenant directory.TenantNo, credential string, first, last int) error {
	for i := first; i <= last; i++ {
		u := User(i)
		u.Tenant = tenant
		u.Profile.ExternalIDs = map[string]string{credential: ExternalID(i)}
		external := directory.Handle{Space: directory.ExternalSpace(credential), Key: ExternalID(i), Kinds: directory.HandleKey, User: u.Number}
		if err := tx.InsertHandle(ctx, tenant, external); err != nil {
			return err
		}
		for _, login := range []struct {
			text string
			kind directory.HandleKind
		}{{u.UserName, directory.HandleUserName}, {u.Email, directory.HandleEmail}} {
			key, err := directory.FoldKey(directory.SpaceLogin, login.text)
			if err != nil {
				return err
			}
			h := directory.Handle{Space: directory.SpaceLogin, Key: key, Kinds: login.kind, User: u.Number}
			if err := tx.InsertHandle(ctx, tenant, h); err != nil {
				return err
			}
		}
		if err := tx.InsertUser(ctx, u); err != nil {
			return errors.Join(fmt.Errorf("bench: user %d", i), err)
		}
	}
	return tx.RaiseNumber(ctx, tenant, directory.NumberUser, int64(last))
}
