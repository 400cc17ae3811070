package canonical

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// Tenant is what one set of credentials can see.
type Tenant struct {
	ID             string                   `json:"id" format:"uuid"`
	Name           string                   `json:"name" example:"acme" doc:"Given by who runs the server."`
	Doors          []string                 `json:"doors" enum:"canonical,console,edubrite,encore,iqmetrix,scim,servicemobility,smartapp" doc:"The doors that are on."`
	Hosts          nullable[[]string]       `json:"hosts" doc:"Host names that lead to this tenant; null for who may not change them."`
	DefaultCompany int64                    `json:"default_company" doc:"Number of the company of users who are made without one."`
	Owner          nullable[int64]          `json:"owner" doc:"Number of the account owner; null while there is none, and for who may not read users of the whole tenant."`
	Settings       nullable[TenantSettings] `json:"settings" doc:"null for who may not change them."`
	Disabled       bool                     `json:"disabled" doc:"Nobody gets in by any door: done by who runs the server."`
	Version        int64                    `json:"version" minimum:"1" doc:"The ETag."`
	CreatedAt      time.Time                `json:"created_at"`
}

// showTenant is a tenant of the core as it is shown. Hosts are nil to who may not
// see them, and then settings are withheld too.
func showTenant(t *directory.Tenant) Tenant {
	shown := Tenant{ID: t.ID, Name: t.Name, Doors: t.Doors.Names(), DefaultCompany: t.DefaultCompany, Owner: numberOf(t.Owner),
		Disabled: t.Disabled, Version: t.Version, CreatedAt: t.CreatedAt.UTC()}
	if t.Hosts != nil {
		shown.Hosts, shown.Settings = some(t.Hosts), some(settingsOf(&t.Settings))
	}
	return shown
}

// TenantSettings are a tenant's choices: all of them, by their names.
type TenantSettings struct {
	Password                    PasswordSettings `json:"password"`
	RequestsPerMinute           map[string]int   `json:"requests_per_minute" doc:"Request limits of the whole tenant, by door; 1,000,000 for a door that is not there."`
	IQmetrixPictureNull         bool             `json:"iqmetrix_picture_null" doc:"The iqmetrix door shows a missing picture as null instead of {}."`
	MaxFailedLogins             int              `json:"max_failed_logins" minimum:"0" maximum:"100" doc:"Locks a user after so many wrong passwords in a row; 0: never."`
	NotifyOnCreate              bool             `json:"notify_on_create" doc:"Mails every new user with an address a notice."`
	SmartappInactiveWithoutSeat bool             `json:"smartapp_inactive_without_seat" doc:"The smartapp door makes a new user inactive when no seat is free, where it would refuse."`
	RecycleBinDays              int              `json:"recycle_bin_days" minimum:"0" maximum:"36500" doc:"After so many days in the recycle bin a user is purged; 0: never."`
	EventDays                   int              `json:"event_days" minimum:"0" maximum:"36500" doc:"After so many days events are removed, 30 at least; 0: never."`
	ConsoleIdleMinutes          int              `json:"console_idle_minutes" minimum:"0" maximum:"1440" doc:"After so many minutes without a request a session of the console ends; 0: 30."`
	ConsoleSessionHours         int              `json:"console_session_hours" minimum:"0" maximum:"720" doc:"After so many hours a session of the console ends, however much it is used; 0: 12."`
	SecondFactor                string           `json:"second_factor" enum:",optional,administrators,all" doc:"Who must have a second factor at the console and to open a session here; empty: optional."`
}

// PasswordSettings are what passwords must be.
type PasswordSettings struct {
	MinLength    int  `json:"min_length" minimum:"0" maximum:"1024" doc:"0: 15."`
	AllowBlocked bool `json:"allow_blocked" doc:"Allows passwords of the block list."`
	AllowContext bool `json:"allow_context" doc:"Allows the user's own names in it."`
}

// settingsOf are settings of the core as they are shown.
func settingsOf(s *directory.Settings) TenantSettings {
	shown := TenantSettings{Password: PasswordSettings(s.Password), RequestsPerMinute: s.RequestsPerMinute, IQmetrixPictureNull: s.IQmetrixPictureNull,
		MaxFailedLogins: s.MaxFailedLogins, NotifyOnCreate: s.NotifyOnCreate, SmartappInactiveWithoutSeat: s.SmartappInactiveWithoutSeat,
		RecycleBinDays: s.RecycleBinDays, EventDays: s.EventDays,
		ConsoleIdleMinutes: s.ConsoleIdleMinutes, ConsoleSessionHours: s.ConsoleSessionHours, SecondFactor: s.SecondFactor}
	if shown.RequestsPerMinute == nil {
		shown.RequestsPerMinute = map[string]int{}
	}
	return shown
}

// core are the settings for the core.
func (s *TenantSettings) core() directory.Settings {
	return directory.Settings{Password: directory.PasswordPolicy(s.Password), RequestsPerMinute: s.RequestsPerMinute, IQmetrixPictureNull: s.IQmetrixPictureNull,
		MaxFailedLogins: s.MaxFailedLogins, NotifyOnCreate: s.NotifyOnCreate, SmartappInactiveWithoutSeat: s.SmartappInactiveWithoutSeat,
		RecycleBinDays: s.RecycleBinDays, EventDays: s.EventDays,
		ConsoleIdleMinutes: s.ConsoleIdleMinutes, ConsoleSessionHours: s.ConsoleSessionHours, SecondFactor: s.SecondFactor}
}

// SettingsChange is a merge patch of TenantSettings; null is the default.
type SettingsChange struct {
	Password                    opt[PasswordChange]      `json:"password,omitempty"`
	RequestsPerMinute           opt[map[string]opt[int]] `json:"requests_per_minute,omitempty" doc:"By door; null for the default."`
	IQmetrixPictureNull         opt[bool]                `json:"iqmetrix_picture_null,omitempty"`
	MaxFailedLogins             opt[int]                 `json:"max_failed_logins,omitempty" minimum:"0" maximum:"100"`
	NotifyOnCreate              opt[bool]                `json:"notify_on_create,omitempty"`
	SmartappInactiveWithoutSeat opt[bool]                `json:"smartapp_inactive_without_seat,omitempty"`
	RecycleBinDays              opt[int]                 `json:"recycle_bin_days,omitempty" minimum:"0" maximum:"36500"`
	EventDays                   opt[int]                 `json:"event_days,omitempty" minimum:"0" maximum:"36500"`
	ConsoleIdleMinutes          opt[int]                 `json:"console_idle_minutes,omitempty" minimum:"0" maximum:"1440"`
	ConsoleSessionHours         opt[int]                 `json:"console_session_hours,omitempty" minimum:"0" maximum:"720"`
	SecondFactor                opt[string]              `json:"second_factor,omitempty" enum:",optional,administrators,all"`

	raw json.RawMessage // what the patch is made from: it knows what was left out
}

// PasswordChange is a merge patch of PasswordSettings.
type PasswordChange struct {
	MinLength    opt[int]  `json:"min_length,omitempty" minimum:"0" maximum:"1024"`
	AllowBlocked opt[bool] `json:"allow_blocked,omitempty"`
	AllowContext opt[bool] `json:"allow_context,omitempty"`
}

// UnmarshalJSON keeps the text too.
func (c *SettingsChange) UnmarshalJSON(text []byte) error {
	type plain SettingsChange
	c.raw = bytes.Clone(text)
	return json.Unmarshal(text, (*plain)(c))
}

// merge is settings after the patch.
func (c *SettingsChange) merge(now directory.Settings) (directory.Settings, error) {
	held, err := encode(settingsOf(&now))
	if err != nil {
		return now, err
	}
	var merged TenantSettings
	err = json.Unmarshal(mergeValue(held, c.raw), &merged)
	return merged.core(), err
}

// doorsNamed reads names of doors; none is 0.
func doorsNamed(names []string) (directory.DoorSet, error) {
	if len(names) == 0 {
		return 0, nil
	}
	return directory.ParseDoors(strings.Join(names, ","))
}

// tenantField gives what the core calls fields their names in a tenant: what is
// none of its own is a setting.
func tenantField(field string) string {
	switch field {
	case "doors", "hosts", "default_company":
		return field
	}
	return "settings." + field
}

// registerTenant adds the operations on the tenant.
func registerTenant(d *door) {
	const tag, path = "tenant", "/tenant"
	register(d, operation{id: "get_tenant", method: http.MethodGet, path: path, tag: tag, summary: "Read the tenant", versioned: true,
		description: "The caller's own: there is no other. Every valid credential may; hosts and settings are for those who may change them.",
		examples:    []example{{name: "the tenant"}}},
		func(ctx context.Context, x *exchange, _ *struct{}) (*made[Tenant], error) {
			t, err := x.door.svc.OwnTenant(ctx, &x.call)
			if err != nil {
				return nil, err
			}
			return answer(x, showTenant(&t), t.Version), nil
		})
	never(d, http.MethodGet, path, http.StatusForbidden)
	register(d, operation{id: "update_tenant", method: http.MethodPatch, path: path, tag: tag, summary: "Change the tenant",
		description: "A merge patch (RFC 7396), of the settings too: members that are left out stay, null resets. Nobody closes the door that it came through, nor disables the tenant (409): who runs the server can.",
		versioned:   true, patch: true, examples: []example{{name: "a setting", body: `{"settings":{"max_failed_logins":10}}`}}}, updateTenant)
}

func updateTenant(ctx context.Context, x *exchange, in *struct {
	Body struct {
		Doors          opt[[]string]       `json:"doors,omitempty" maxItems:"20" enum:"canonical,console,edubrite,encore,iqmetrix,scim,servicemobility,smartapp" doc:"null for all."`
		Hosts          opt[[]string]       `json:"hosts,omitempty" maxItems:"100" doc:"Each leads to one tenant."`
		DefaultCompany opt[int64]          `json:"default_company,omitempty" minimum:"1" maximum:"2147483647" doc:"null: as it is."`
		Disabled       opt[bool]           `json:"disabled,omitempty" doc:"false: no caller disables its own tenant."`
		Settings       opt[SettingsChange] `json:"settings,omitempty"`
	} `nameHint:"TenantChange"`
}) (*made[Tenant], error) {
	b := &in.Body
	doors, err := doorsNamed(b.Doors.or(nil))
	if err != nil {
		return nil, x.refuse(err)
	}
	if b.Doors.null {
		doors = directory.AllDoors
	}
	patch := directory.TenantPatch{Doors: directory.Opt[directory.DoorSet]{Set: b.Doors.set, Value: doors}, Hosts: b.Hosts.reset(),
		DefaultCompany: b.DefaultCompany.reset(), Disabled: b.Disabled.reset()}
	patch.DefaultCompany.Set = b.DefaultCompany.set && !b.DefaultCompany.null
	if b.Settings.null {
		patch.Settings = func(directory.Settings) (directory.Settings, error) { return directory.Settings{}, nil }
	} else if b.Settings.set {
		patch.Settings = b.Settings.value.merge
	}
	t, err := x.door.svc.EditTenant(ctx, &x.call, patch)
	if err != nil {
		return nil, renamed(inBody(err, directory.ReasonCompanyNotFound, "default_company"), tenantField)
	}
	if t.Hosts == nil {
		t.Hosts = []string{}
	}
	return answer(x, showTenant(&t), t.Version), nil
}
