package app

import (
	"encoding/json"
	"fmt"

	"github.com/usher-id/usher/internal/directory"
)

// The numbers of the sample users. Only 2576 and 123456 come from documents;
// the others follow 2576, so that the list of company 14146 begins with the
// user of the document's sample answer.
const (
	demoJohn       = 2576
	demoSam        = 2577
	demoSmitherson = 2578
	demoDisabled   = 2579
	demoAdmin      = 3001
	demoHenry      = 3002
	demoDoe        = 3003
	demoCarr       = 3005
	demoJones      = 3006
	demoEncore     = 123456

	demoCarrID = "9d1f0a36-4b7e-4e21-9f58-c3a6b2d4e870"
)

// demoUser is one user and the door whose extras it brings.
type demoUser struct {
	door   directory.Door
	user   directory.NewUser
	extras string
}

func (l *demoLoader) users() error {
	list := append(demoIQmetrixUsers(), demoVendorUsers()...)
	list = append(list, l.demoAccounts()...)
	for _, u := range list {
		if u.extras != "" {
			u.user.Fields.Extras = directory.Some(json.RawMessage(u.extras))
		}
		if _, err := l.service.CreateUser(l.ctx, l.callBy(u.door), u.user); err != nil {
			return fmt.Errorf("user %d: %w", u.user.Number, err)
		}
	}
	return nil
}

// demoIQmetrixUsers holds the user of the document "User Manager", exactly,
// and users for its search for Sam Smith and its lists of active users.
func demoIQmetrixUsers() []demoUser {
	return []demoUser{
		{user: directory.NewUser{Number: demoJohn, ClaimEmail: true, Fields: directory.UserPatch{
			GivenName:    directory.Some("John"),
			FamilyName:   directory.Some("Bates"),
			UserName:     directory.Some("johnb@kentel.com"),
			Email:        directory.Some("johnb@kentel.com"),
			ClientUserID: directory.Some("132"),
			Title:        directory.Some("Sales Clerk"),
			Company:      directory.Some[int64](demoEastCompany),
			Phones:       directory.Some([]directory.Phone{{Number: "6135550127", Extension: "5532", Type: "Work"}}),
			Address: directory.Some(directory.Address{Set: true, Line1: "1432 Merry View Road", City: "Big Windy",
				Region: "ON", Country: "CA", Zip: "A1A2B2"}),
		}}},
		demoKentelUser(demoSam, "Sam", "Smith", "Store Manager", "6135550142", directory.StateActive),
		demoKentelUser(demoSmitherson, "Sam", "Smitherson", "Sales Clerk", "6135550143", directory.StateActive),
		demoKentelUser(demoDisabled, "Dana", "Disabled", "Sales Clerk", "6135550144", directory.StateInactive),
	}
}

func demoKentelUser(number int64, given, family, title, phone string, state directory.State) demoUser {
	name := directory.FoldSearch(given + "." + family + "@kentel.com")
	return demoUser{user: directory.NewUser{Number: number, State: state, ClaimEmail: true, Fields: directory.UserPatch{
		GivenName: directory.Some(given), FamilyName: directory.Some(family), UserName: directory.Some(name),
		Email: directory.Some(name), Title: directory.Some(title), Company: directory.Some[int64](demoCompany),
		Phones: directory.Some([]directory.Phone{{Number: phone, Type: "Work"}}),
	}}}
}

// The door's own fields of the sample users, in the names of their documents.
const (
	encoreExtras = `{"GPSEnabled":true}`
	// The document shows ids of zeros; a fixed one serves its globalUserID.
	smartappExtras = `{"globalUserID":"7b0c9d52-16e3-4f7a-8c4d-5a2e90b1f3d8","metadata":{"Favorite employee":true}}`
	mobilityExtras = `{"IsMobileWorker":true,"Extensions":{"key1":"value1","key2":"value2"}}`
)

// demoVendorUsers are the users of the other vendors' documents.
func demoVendorUsers() []demoUser {
	return []demoUser{
		// Inactive, so that the document's call activates it.
		{door: directory.DoorEncore, extras: encoreExtras,
			user: directory.NewUser{Number: demoEncore, State: directory.StateInactive, Fields: directory.UserPatch{
				GivenName: directory.Some("Maria"), FamilyName: directory.Some("Walker"), UserName: directory.Some("mwalker"),
				Email: directory.Some("mwalker@example.test"), EmployeeNumber: directory.Some("000000006"),
				LicenceType: directory.Some(licenceRegular), Phones: directory.Some([]directory.Phone{{Number: "8135550106", Type: "Work"}}),
			}}},
		{door: directory.DoorSmartapp, extras: smartappExtras,
			user: directory.NewUser{Number: demoCarr, ID: demoCarrID, ClaimEmail: true, Fields: directory.UserPatch{
				GivenName: directory.Some("Caleb"), FamilyName: directory.Some("Carr"), DisplayName: directory.Some("ccarr1"),
				UserName: directory.Some("ccarr1"), Email: directory.Some("ccarr@smartapp.com"),
				Company: directory.Some[int64](demoSmartappCompany), LicenceType: directory.Some(licenceRegular),
				Phones: directory.Some([]directory.Phone{{Number: "123-456-7890", Type: "phone"}, {Number: "982-482-5927", Type: "mobile"},
					{Number: "1-555-9876543", Type: "fax"}}),
			}}},
		// Inactive, as the Encore user is.
		{door: directory.DoorEduBrite,
			user: directory.NewUser{Number: demoDoe, ID: "a570e68e-2134-11e6-b63c-6ce229284b01", State: directory.StateInactive,
				Fields: directory.UserPatch{GivenName: directory.Some("John"), FamilyName: directory.Some("Doe"),
					UserName: directory.Some("jdoe"), Email: directory.Some("jdoe@example.test")}}},
		{door: directory.DoorEduBrite,
			user: directory.NewUser{Number: demoHenry, Fields: directory.UserPatch{GivenName: directory.Some("Carol"),
				FamilyName: directory.Some("Henry"), UserName: directory.Some("chenry"), Email: directory.Some("chenry@example.test")}}},
		{door: directory.DoorServiceMobility, extras: mobilityExtras,
			user: directory.NewUser{Number: demoJones, Fields: directory.UserPatch{
				GivenName: directory.Some("Terry"), FamilyName: directory.Some("Jones"), UserName: directory.Some("tech.jones"),
				Email: directory.Some("tech.jones@example.test"), Language: directory.Some("en"),
				Phones: directory.Some([]directory.Phone{{Number: "6135550160", Type: "Work"}, {Number: "6135550161", Type: "Mobile"}}),
			}}},
	}
}

// demoAccounts are the accounts with passwords: the owner.
func (l *demoLoader) demoAccounts() []demoUser {
	return []demoUser{
		{user: directory.NewUser{Number: demoAdmin, Password: l.credentials.AdminPassword, ClaimEmail: true, Fields: directory.UserPatch{
			GivenName: directory.Some("Ada"), FamilyName: directory.Some("Minister"), UserName: directory.Some(l.credentials.Admin),
			Email: directory.Some("admin@example.test"),
		}}},
	}
}

// memberships gives users their locations, roles and groups.
func (l *demoLoader) memberships() error {
	for _, m := range []struct{ user, location int64 }{{demoJohn, demoRegina}, {demoCarr, demoHeadquarters}} {
		if err := l.service.AssignLocation(l.ctx, l.call(), directory.ByNumber(m.user), m.location); err != nil {
			return err
		}
	}
	for _, m := range []struct{ user, role, company int64 }{
		{demoCarr, demoRoleIntern, demoSmartappCompany},
		{demoCarr, demoRoleDeveloper, demoSmartappCompany},
		{demoHenry, demoRoleAdmin, demoCompany},
	} {
		if _, _, err := l.service.AssignRole(l.ctx, l.call(), directory.ByNumber(m.user), m.role, m.company); err != nil {
			return err
		}
	}
	for _, m := range []struct {
		user int64
		kind directory.GroupKind
		key  string
	}{
		{demoCarr, directory.GroupPlain, "Smartapp1350 employee"},
		{demoCarr, directory.GroupDashboard, "Operations"},
		{demoJones, directory.GroupServiceTeam, "TEAM-1"},
	} {
		add := directory.GroupChange{Kind: m.kind, Mode: directory.GroupsAdd, Groups: []directory.GroupRef{{Kind: m.kind, Name: m.key}}}
		if _, err := l.service.ChangeGroups(l.ctx, l.call(), directory.ByNumber(m.user), 0, add); err != nil {
			return err
		}
	}
	return l.service.SetOwner(l.ctx, l.call(), directory.ByNumber(demoAdmin))
}
