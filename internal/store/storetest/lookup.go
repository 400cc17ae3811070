package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var lookupChecks = []check{
	{"Every look-up answers the same in Read, View and Update", lookupsAgree},
	{"Look-ups answer ErrNotFound", lookupsNotFound},
	{"Lists of what is not there are empty", lookupsEmpty},
	{"Every look-up fails in a cancelled context", lookupsCancelled},
}

// lookup is one method of directory.Reader with arguments that find something
// in a populated tenant.
type lookup struct {
	name string
	get  func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error)
}

// result hides the type of an answer.
func result[T any](v T, err error) (any, error) { return v, err }

// sharedID is the id of user 1 of every populated tenant.
const sharedID = "4f0c8f0e-6a52-7c1d-9b1e-0242ac120002"

// lookups are the readers whose arguments are the same in every populated
// tenant.
var lookups = []lookup{
	{"UserByNumber", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.UserByNumber(ctx, t, 1))
	}},
	{"UserByID", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.UserByID(ctx, t, sharedID))
	}},
	{"UserByHandle", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		u, kinds, err := r.UserByHandle(ctx, t, directory.SpaceLogin, "ada")
		return []any{u, kinds}, err
	}},
	{"HandleByKey", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.HandleByKey(ctx, t, directory.SpaceLogin, "ada"))
	}},
	{"Role", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Role(ctx, t, 1))
	}},
	{"RoleByKey", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.RoleByKey(ctx, t, 1, "clerk"))
	}},
	{"Group", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Group(ctx, t, 1))
	}},
	{"GroupByID", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.GroupByID(ctx, t, sharedID))
	}},
	{"LocationByID", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.LocationByID(ctx, t, sharedID))
	}},
	{"GroupByKey", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.GroupByKey(ctx, t, directory.GroupPlain, "team"))
	}},
	{"Company", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Company(ctx, t, 1))
	}},
	{"CompanyByName", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.CompanyByName(ctx, t, directory.NameKey("Root")))
	}},
	{"Location", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Location(ctx, t, 1))
	}},
	{"LocationByName", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.LocationByName(ctx, t, 1, directory.NameKey("Shop")))
	}},
	{"LockReason", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.LockReason(ctx, t, 1))
	}},
	{"LockReasonByName", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.LockReasonByName(ctx, t, 1, directory.NameKey("Vacation")))
	}},
	{"Password", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Password(ctx, t, 1))
	}},
	{"Tenant", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Tenant(ctx, t))
	}},
	{"Answer", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Answer(ctx, t, "key:k", sum("answer")))
	}},
	{"SecondFactor", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.SecondFactor(ctx, t, 1))
	}},
	{"Pool", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Pool(ctx, t, "Full"))
	}},
}

// listings are the readers that answer an empty list or zero where there is
// nothing.
var listings = []lookup{
	{"RecoveryCodes", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.RecoveryCodes(ctx, t, 1))
	}},
	{"PoolDays", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.PoolDays(ctx, t, 0))
	}},
	{"EventDays", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.EventDays(ctx, t, 0))
	}},
	{"CountLocked", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.CountLocked(ctx, t, 0, 10))
	}},
	{"CountFailedJobs", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.CountFailedJobs(ctx, t, 10))
	}},
	{"Users", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Users(ctx, t, directory.UserQuery{Limit: 10}))
	}},
	{"Users of a company", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Users(ctx, t, directory.UserQuery{Company: 1, Limit: 10, States: allStates}))
	}},
	{"Users by term", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Users(ctx, t, directory.UserQuery{Terms: []string{"lovel"}, Limit: 10, States: allStates}))
	}},
	{"Users by short term", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Users(ctx, t, directory.UserQuery{Terms: []string{"lo"}, Limit: 10, States: allStates}))
	}},
	{"Users by filter", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Users(ctx, t, directory.UserQuery{Filter: directory.Text{Field: directory.FieldEmployeeNumber, Value: "E-0042"}, Limit: 10, States: allStates}))
	}},
	{"CountUsers", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.CountUsers(ctx, t, directory.UserQuery{Terms: []string{"lovel"}, States: allStates}, 10))
	}},
	{"UserTotal", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.UserTotal(ctx, t, 0, allStates))
	}},
	{"UserTotal of a company", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.UserTotal(ctx, t, 1, allStates))
	}},
	{"InSubtree", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.InSubtree(ctx, t, 1, 1))
	}},
	{"UserLocations", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.UserLocations(ctx, t, 1))
	}},
	{"UserRoles", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.UserRoles(ctx, t, 1))
	}},
	{"SigningKeys", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.SigningKeys(ctx, t, 10))
	}},
	{"Roles", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Roles(ctx, t, 1))
	}},
	{"Roles of the tenant", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Roles(ctx, t, 0))
	}},
	{"Groups", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Groups(ctx, t, directory.GroupSelection{Kind: directory.GroupPlain, Limit: 10}))
	}},
	{"CountGroups", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.CountGroups(ctx, t, directory.GroupSelection{Kind: directory.GroupPlain}))
	}},
	{"GroupMembers", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.GroupMembers(ctx, t, 1, 0, 10))
	}},
	{"GroupSize", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.GroupSize(ctx, t, 1))
	}},
	{"Users of a group", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Users(ctx, t, directory.UserQuery{GroupNumbers: []int64{1}, States: allStates, Limit: 10}))
	}},
	{"RoleMemberRefs", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.RoleMemberRefs(ctx, t, 1, 0, 0, 10))
	}},
	{"RoleMembers", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.RoleMembers(ctx, t, 1, 0, 10))
	}},
	{"Holds", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Holds(ctx, t, 1))
	}},
	{"Locations", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Locations(ctx, t, 1))
	}},
	{"UserGroups", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.UserGroups(ctx, t, 1))
	}},
	{"Companies", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Companies(ctx, t, 0, 10))
	}},
	{"LockReasons", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.LockReasons(ctx, t, 1))
	}},
	{"Credentials", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Credentials(ctx, t))
	}},
	{"Pools", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Pools(ctx, t))
	}},
	{"FindEvents", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.FindEvents(ctx, t, directory.EventSelection{User: 42, Limit: 10, Scan: 100}))
	}},
	{"UserTokens", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.UserTokens(ctx, t, 1, noon))
	}},
	{"Users in order of a name", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Users(ctx, t, directory.UserQuery{Sort: directory.FieldUserName, Limit: 10, States: allStates}))
	}},
	{"Users by telephone number", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Users(ctx, t, directory.UserQuery{Filter: directory.AnyPhone{AnyType: true, Value: "+1 555 123"}, Limit: 10, States: allStates}))
	}},
	{"Users by external id", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Users(ctx, t, directory.UserQuery{Filter: directory.External{Credential: "0b1c", Value: "ext-1"}, Limit: 10, States: allStates}))
	}},
	{"GroupMemberRefs", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.GroupMemberRefs(ctx, t, 1, 1, 0, 10))
	}},
	{"AllRoles", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.AllRoles(ctx, t, 0, 10))
	}},
	{"AllLockReasons", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.AllLockReasons(ctx, t, 0, 10))
	}},
	{"AllLocations", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.AllLocations(ctx, t, 0, 10))
	}},
	{"CompanyInUse", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.CompanyInUse(ctx, t, 1))
	}},
	{"LocationInUse", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.LocationInUse(ctx, t, 1))
	}},
	{"Events", func(ctx context.Context, r directory.Reader, t directory.TenantNo) (any, error) {
		return result(r.Events(ctx, t, 0, 10))
	}},
}

// populate fills a tenant so that every lookup finds a row; tag is a text in
// the rows that says whose they are.
func (s *sample) populate(tag string) {
	s.t.Helper()
	u := s.fullUser(1)
	u.ID, u.Title = sharedID, tag
	deleted := s.user(2)
	deleted.State = directory.StateDeleted
	s.update(func(tx directory.Tx) error {
		return errors.Join(
			tx.InsertUser(s.ctx, u),
			tx.InsertUser(s.ctx, deleted),
			tx.InsertHandle(s.ctx, s.tenant, directory.Handle{Space: directory.SpaceLogin, Key: "ada", Kinds: directory.HandleUserName | directory.HandleEmail, User: 1}),
			tx.SetPassword(s.ctx, s.tenant, directory.Password{User: 1, Hash: "$argon2id$" + tag, SetAt: noon, Failures: 2, LastLogin: noon}),
			tx.InsertLocation(s.ctx, directory.Location{Tenant: s.tenant, Number: 1, ID: sharedID, Company: 1, Name: "Shop", Phone: tag, Version: 1, CreatedAt: noon}),
			tx.InsertLockReason(s.ctx, directory.LockReason{Tenant: s.tenant, Number: 1, Company: 1, Name: "Vacation", Description: tag}),
			tx.InsertRole(s.ctx, directory.Role{Tenant: s.tenant, Number: 1, Key: "clerk", Name: tag, Company: 1, Permissions: []string{"a", "b"}}),
			tx.InsertRole(s.ctx, directory.Role{Tenant: s.tenant, Number: 2, Key: "clerk", Name: tag}),
			tx.InsertGroup(s.ctx, directory.Group{Tenant: s.tenant, Number: 1, ID: sharedID, Kind: directory.GroupPlain, Key: "team", Name: tag, Version: 1, CreatedAt: noon}),
			tx.AddUserRole(s.ctx, s.tenant, directory.RoleAssignment{Number: 1, User: 1, Role: 1, Company: 1}),
			tx.InsertCredential(s.ctx, s.credential(tag+s.companies[1].ID)),
			tx.InsertSigningKey(s.ctx, s.signingKey(tag)),
			tx.SetPool(s.ctx, s.tenant, "Full", int64(len(tag))),
			tx.SetSecondFactor(s.ctx, s.tenant, directory.SecondFactor{User: 1, Sealed: []byte(tag), CreatedAt: noon}),
			tx.SetRecoveryCodes(s.ctx, s.tenant, 1, [][]byte{sum(tag)}),
			tx.InsertEvent(s.ctx, newEvent(s.tenant, directory.EventUserCreated)),
			tx.InsertAnswer(s.ctx, directory.Answer{Tenant: s.tenant, Caller: "key:k", Key: sum("answer"), Request: sum(tag), Sealed: []byte(tag), CreatedAt: noon}),
			tx.InsertHandle(s.ctx, s.tenant, directory.Handle{Space: directory.ExternalSpace("0b1c"), Key: "ext-1", Kinds: directory.HandleKey, User: 1}),
		)
	})
	s.update(func(tx directory.Tx) error {
		_, err := tx.AddUserLocation(s.ctx, s.tenant, 1, 1)
		_, err2 := tx.SetGroupMember(s.ctx, s.tenant, 1, 1, tag, 0)
		_, err3 := tx.InsertHold(s.ctx, s.tenant, s.hold(1, directory.HoldLegal, tag))
		return errors.Join(err, err2, err3, tx.InsertToken(s.ctx, s.token("of "+tag, directory.TokenAccess, 1)))
	})
	s.indexed(1000)
}

// answers runs every lookup and listing for a tenant in one snapshot.
func (s *sample) answers() map[string]any {
	s.t.Helper()
	all := map[string]any{}
	s.view(func(r directory.Reader) error {
		for _, l := range append(append([]lookup(nil), lookups...), listings...) {
			v, err := l.get(s.ctx, r, s.tenant)
			if err != nil {
				s.t.Errorf("%s: %v", l.name, err)
			}
			all[l.name] = v
		}
		return nil
	})
	return all
}

func lookupsAgree(t *testing.T, s *sample) {
	s.populate("agree")
	want := s.answers()
	for _, l := range append(append([]lookup(nil), lookups...), listings...) {
		var inRead, inUpdate any
		if err := s.store.Read(s.ctx, func(r directory.Reader) (err error) {
			inRead, err = l.get(s.ctx, r, s.tenant)
			return err
		}); err != nil {
			t.Errorf("%s in Read: %v", l.name, err)
		}
		s.update(func(tx directory.Tx) (err error) {
			inUpdate, err = l.get(s.ctx, tx, s.tenant)
			return err
		})
		wantSame(t, l.name+" in Read", inRead, want[l.name])
		wantSame(t, l.name+" in Update", inUpdate, want[l.name])
	}
}

func lookupsNotFound(t *testing.T, s *sample) {
	s.addUser(2)
	missing := append([]lookup(nil), lookups...)
	missing = append(missing,
		lookup{"Credential", func(ctx context.Context, r directory.Reader, no directory.TenantNo) (any, error) {
			return result(r.Credential(ctx, no, sharedID))
		}},
		lookup{"AuthenticateKey", func(ctx context.Context, r directory.Reader, _ directory.TenantNo) (any, error) {
			return result(r.AuthenticateKey(ctx, sum("nobody's")))
		}},
		lookup{"AuthenticateToken", func(ctx context.Context, r directory.Reader, _ directory.TenantNo) (any, error) {
			return result(r.AuthenticateToken(ctx, sum("nobody's"), directory.TokenAccess))
		}},
		lookup{"AuthenticateSession", func(ctx context.Context, r directory.Reader, _ directory.TenantNo) (any, error) {
			return result(r.AuthenticateSession(ctx, sum("nobody's")))
		}},
		lookup{"AuthenticateSigned", func(ctx context.Context, r directory.Reader, _ directory.TenantNo) (any, error) {
			return result(r.AuthenticateSigned(ctx, "nobody's", 1))
		}},
		lookup{"Impersonation", func(ctx context.Context, r directory.Reader, _ directory.TenantNo) (any, error) {
			return result(r.Impersonation(ctx, "nobody's"))
		}},
		lookup{"CompanyByID", func(ctx context.Context, r directory.Reader, no directory.TenantNo) (any, error) {
			return result(r.CompanyByID(ctx, no, sharedID))
		}},
		lookup{"AuthenticateClient", func(ctx context.Context, r directory.Reader, _ directory.TenantNo) (any, error) {
			return result(r.AuthenticateClient(ctx, "nobody's"))
		}},
		lookup{"TenantByName", func(ctx context.Context, r directory.Reader, _ directory.TenantNo) (any, error) {
			return result(r.TenantByName(ctx, "nobody's"))
		}},
		lookup{"TenantByHost", func(ctx context.Context, r directory.Reader, _ directory.TenantNo) (any, error) {
			return result(r.TenantByHost(ctx, "nobody.example"))
		}},
	)
	exists := map[string]bool{"Tenant": true, "Company": true, "CompanyByName": true}
	for _, l := range missing {
		if exists[l.name] {
			continue
		}
		for _, no := range []directory.TenantNo{s.tenant, noTenant} {
			s.view(func(r directory.Reader) error {
				_, err := l.get(s.ctx, r, no)
				wantNotFound(t, l.name, err)
				return nil
			})
		}
	}
	s.view(func(r directory.Reader) error {
		_, err := r.Tenant(s.ctx, noTenant)
		wantNotFound(t, "Tenant", err)
		_, err = r.Company(s.ctx, s.tenant, 404)
		wantNotFound(t, "Company", err)
		_, err = r.CompanyByName(s.ctx, s.tenant, "nobody's")
		wantNotFound(t, "CompanyByName", err)
		return nil
	})
}

// noTenant is a number that no tenant of a test has.
const noTenant directory.TenantNo = 1<<22 - 1

func lookupsEmpty(t *testing.T, s *sample) {
	for _, l := range listings {
		s.view(func(r directory.Reader) error {
			v, err := l.get(s.ctx, r, noTenant)
			if err != nil || !isEmpty(v) {
				t.Errorf("%s of no tenant: %v, error %v", l.name, v, err)
			}
			return nil
		})
	}
}

func lookupsCancelled(t *testing.T, s *sample) {
	s.populate("cancelled")
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	for _, l := range append(append([]lookup(nil), lookups...), listings...) {
		err := s.store.Read(ctx, func(r directory.Reader) error {
			_, err := l.get(ctx, r, s.tenant)
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", l.name, err)
		}
	}
}
