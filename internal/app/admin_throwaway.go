package app

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// ThrowAwayTenant is a new tenant with one credential of each kind, as `usher
// tenant create --throw-away` prints it. The secrets are shown only there.
type ThrowAwayTenant struct {
	Tenant  TenantView       `json:"tenant"`
	Company ThrowAwayCompany `json:"company"`
	Key     string           `json:"key"` // an API key of rank administrator: all scopes, all doors of the tenant
	// Owner is the account owner, whom no tool can remove by chance: the person
	// for whom EduBrite's API user acts, and who signs in with a password where a
	// door lets people in.
	Owner       ThrowAwayPerson `json:"owner"`
	OAuthClient ThrowAwaySecret `json:"oauth_client"`    // iqmetrix: token service
	APIUser     ThrowAwaySecret `json:"edubrite"`        // edubrite: name and password of an API user
	Customer    ThrowAwaySecret `json:"servicemobility"` // servicemobility: customerid and customercode
}

// ThrowAwayCompany is the tenant's first company.
type ThrowAwayCompany struct {
	Number int64  `json:"number"`
	ID     string `json:"id"`
	Name   string `json:"name"`
}

// ThrowAwayPerson is somebody with a password.
type ThrowAwayPerson struct {
	Number   int64  `json:"number"`
	ID       string `json:"id"`
	UserName string `json:"user_name"`
	Password string `json:"password"`
}

// ThrowAwaySecret is a name and its secret.
type ThrowAwaySecret struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

// CreateThrowAwayTenant makes a tenant under a name that nobody else has, with
// its first company, an account owner and a credential of each kind, for a tool
// that wants an empty directory and leaves one behind that nobody needs. Nothing
// removes it. doors and hosts are as in CreateTenant. What was made before an
// error stays.
func (a *Admin) CreateThrowAwayTenant(ctx context.Context, doors string, hosts []string) (ThrowAwayTenant, error) {
	// 60 random bits: no look-up is needed for the name to be new.
	name := "throw-away-" + strings.ToLower(rand.Text()[:12])
	made, err := a.CreateTenant(ctx, name, doors, hosts)
	if err != nil {
		return ThrowAwayTenant{}, err
	}
	t := &throwAway{TenantAdmin: &TenantAdmin{Admin: a, Tenant: made}, ctx: ctx}
	t.out.Tenant = t.View()
	for _, step := range []func() error{t.company, t.owner, t.credentials} {
		if err := step(); err != nil {
			return ThrowAwayTenant{}, flagError("tenant "+name, err)
		}
	}
	return t.out, nil
}

// throwAway fills a tenant, step by step.
type throwAway struct {
	*TenantAdmin
	ctx context.Context
	out ThrowAwayTenant
}

func (t *throwAway) company() error {
	c, err := t.service.Company(t.ctx, t.call(t.Tenant.No), t.Tenant.DefaultCompany)
	t.out.Company = ThrowAwayCompany{Number: c.Number, ID: c.ID, Name: c.Name}
	return err
}

func (t *throwAway) owner() error {
	password := rand.Text()
	u, err := t.service.CreateUser(t.ctx, t.call(t.Tenant.No), directory.NewUser{Password: password, Fields: directory.UserPatch{
		UserName: directory.Some(t.Tenant.Name + "-owner"), GivenName: directory.Some("Ada"), FamilyName: directory.Some("Minister")}})
	if err != nil {
		return err
	}
	t.out.Owner = ThrowAwayPerson{Number: u.Number, ID: u.ID, UserName: u.UserName, Password: password}
	if err := t.service.SetOwner(t.ctx, t.call(t.Tenant.No), directory.ByNumber(u.Number)); err != nil {
		return err
	}
	t.out.Tenant.Owner = u.Number
	return nil
}

func (t *throwAway) credentials() error {
	call, in := t.call(t.Tenant.No), directory.NewCredential{Name: "throw-away", Rank: directory.RankAdministrator, Doors: directory.AllDoors}
	_, secret, err := t.service.CreateKey(t.ctx, call, in)
	if err != nil {
		return err
	}
	t.out.Key = secret
	for _, c := range []struct {
		create func(context.Context, *directory.Call, directory.NewCredential) (directory.Credential, string, error)
		out    *ThrowAwaySecret
	}{
		{t.service.CreateClient, &t.out.OAuthClient},
		{t.service.CreateAPIUser, &t.out.APIUser},
		{t.service.CreateCustomer, &t.out.Customer},
	} {
		made, secret, err := c.create(t.ctx, call, in)
		if err != nil {
			return err
		}
		*c.out = ThrowAwaySecret{ID: made.ClientID, Secret: secret}
	}
	return nil
}
