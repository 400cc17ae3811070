package app

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

// The numbers of the sample directory come from the vendors' documents where
// those name them (iQmetrix User Manager: company 14146, location 14202, lock
// reason 14; Encore: user 123456), so that their printed calls work. The rest
// is fixed too, so that two demos are alike.
const (
	demoCompany          = 14146
	demoEastCompany      = 1
	demoSmartappCompany  = 14147
	demoBigWindy         = 2
	demoRegina           = 14202
	demoHeadquarters     = 14203
	demoRoleIntern       = 1
	demoRoleDeveloper    = 2
	demoRoleAdmin        = 3
	demoLockReason       = 14
	demoSmartappSite     = "5f6d3a52-8f0e-4c6b-9a35-0e1d7a4c2b61"
	demoSmartappLocation = "c2b7f1a4-3d59-4e8c-8b16-7f90d2e4a5c3"
)

// Licence types of the sample directory. Encore's Regular and Smartapp's
// LicencedUser are one pool.
const (
	licenceRegular          = "regular"
	licenceWebOnly          = "web_only"
	licenceEmployee         = "employee"
	licenceTransactionBased = "transaction_based"
)

// demoLoader loads the sample directory through the use cases, as any client
// would.
type demoLoader struct {
	ctx         context.Context // of the one call that the loader serves
	service     *directory.Service
	credentials DemoCredentials
	no          directory.TenantNo
}

// call is a fresh call of the loader.
func (l *demoLoader) call() *directory.Call { return directory.System(l.no, "demo") }

// callBy is a call that brings a door's own fields: extras belong to the door
// of the call.
func (l *demoLoader) callBy(door directory.Door) *directory.Call {
	call := l.call()
	if door != 0 {
		call.Door = door
	}
	return call
}

// tenant is made with the password policy that lets the documents' sample
// passwords pass.
func (l *demoLoader) tenant() error {
	t, err := l.service.CreateTenant(l.ctx, l.call(), directory.Tenant{
		Name: l.credentials.Tenant,
		Settings: directory.Settings{
			Demo:     true,
			Password: directory.PasswordPolicy{MinLength: 6, AllowBlocked: true, AllowContext: true},
		},
	}, directory.Company{Number: demoCompany, Name: "Kentel"})
	l.no = t.No
	if err != nil {
		return err
	}
	_, err = l.service.SetEntity(l.ctx, l.call(), directory.Opt[directory.UserRef]{}, demoEntity)
	return err
}

// demoEntity is what the servicemobility door shows as the tenant's entity, in the
// names of its document.
const demoEntity = `{"Addresses":[{"AddrLine1":"1432 Merry View Road","AddrType":"Main","City":"Big Windy",` +
	`"Country":"CA","Region":"ON","Zip":"A1A2B2"}],"Contacts":[{"Email":"admin@example.test","FirstName":"Ada","IsPrimary":true,` +
	`"LastName":"Minister","Phones":[{"PhoneNum":"6135550100","PhoneType":"Work"}]}],"Name":"Kentel Field Services"}`

func (l *demoLoader) companies() error {
	for _, c := range []directory.Company{
		{Number: demoEastCompany, Name: "Kentel East", Parent: demoCompany},
		{Number: demoSmartappCompany, Name: "smartapp.com", ID: demoSmartappSite, Website: "smartapp.com"},
	} {
		if _, err := l.service.CreateCompany(l.ctx, l.call(), c); err != nil {
			return err
		}
	}
	for _, loc := range []directory.Location{
		{Number: demoBigWindy, Company: demoCompany, Name: "Big Windy"},
		{Number: demoRegina, Company: demoCompany, Name: "Regina Downtown"},
		{Number: demoHeadquarters, Company: demoSmartappCompany, ID: demoSmartappLocation, Name: "headquarters", Headquarters: true},
	} {
		if _, err := l.service.CreateLocation(l.ctx, l.call(), loc); err != nil {
			return err
		}
	}
	_, err := l.service.CreateLockReason(l.ctx, l.call(), directory.LockReason{
		Number: demoLockReason, Company: demoCompany, Name: "PaperworkNotDone",
		Description: "Your account has been locked because the paperwork hasn't been done. Please contact your supervisor.",
	})
	return err
}

func (l *demoLoader) groupsAndRoles() error {
	for _, g := range []directory.Group{
		{Kind: directory.GroupPlain, Key: "software developers", Name: "software developers"},
		{Kind: directory.GroupPlain, Key: "interns", Name: "interns"},
		{Kind: directory.GroupPlain, Key: "Smartapp1350 employee", Name: "Smartapp1350 employee"},
		{Kind: directory.GroupDashboard, Key: "Operations", Name: "Operations"},
		{Kind: directory.GroupServiceTeam, Key: "TEAM-1", Name: "Team 1"},
		{Kind: directory.GroupServiceTeam, Key: "TEAM-2", Name: "Team 2"},
	} {
		if _, err := l.service.CreateGroup(l.ctx, l.call(), g); err != nil {
			return err
		}
	}
	for _, r := range []directory.Role{
		{Number: demoRoleIntern, Key: "intern", Name: "intern"},
		{Number: demoRoleDeveloper, Key: "software developer", Name: "software developer"},
		{Number: demoRoleAdmin, Key: "administrator", Name: "administrator", Rank: directory.RankAdministrator},
	} {
		if _, err := l.service.CreateRole(l.ctx, l.call(), r); err != nil {
			return err
		}
	}
	return nil
}

func (l *demoLoader) pools() error {
	for _, p := range []directory.Pool{
		{Type: licenceRegular, Total: 50},
		{Type: licenceWebOnly, Total: 10},
		{Type: licenceEmployee, Total: 5},
		{Type: licenceTransactionBased, Total: 10},
	} {
		if _, err := l.service.SetPool(l.ctx, l.call(), p.Type, p.Total); err != nil {
			return err
		}
	}
	return nil
}

// client makes the OAuth client and the EduBrite API user. People get as far
// through the latter as their own rank.
func (l *demoLoader) client() error {
	_, _, err := l.service.CreateClient(l.ctx, l.call(), directory.NewCredential{
		Name: "demo client", ClientID: l.credentials.ClientID, Secret: directory.Secret(l.credentials.ClientSecret),
	})
	if err != nil {
		return err
	}
	_, _, err = l.service.CreateAPIUser(l.ctx, l.call(), directory.NewCredential{
		Name: "demo API user", ClientID: l.credentials.APIUser, Secret: directory.Secret(l.credentials.APIUserPassword),
		Rank: directory.RankOwner,
	})
	return err
}

// key has the owner's rank, so that every printed command works.
func (l *demoLoader) key(name string) error {
	_, _, err := l.service.CreateKey(l.ctx, l.call(), directory.NewCredential{
		Name: name, Secret: directory.Secret(l.credentials.Key), Rank: directory.RankOwner,
	})
	return err
}
