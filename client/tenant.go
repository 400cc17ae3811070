package client

import (
	"context"
	"net/http"
	"time"
)

// Tenant is the tenant that the key belongs to.
type Tenant struct {
	Head
	ID             string    `json:"id"` // UUID
	Name           string    `json:"name"`
	Doors          []string  `json:"doors"`
	Hosts          []string  `json:"hosts"`           // host names that lead to it; nil also for who may not change them
	DefaultCompany int64     `json:"default_company"` // of users for whom nobody names one
	Owner          int64     `json:"owner"`           // number of the account owner; 0 for none
	Settings       *Settings `json:"settings"`        // nil for who may not change them
	Disabled       bool      `json:"disabled"`
	Version        int64     `json:"version"`
	CreatedAt      time.Time `json:"created_at"`
}

func (t *Tenant) setVersion() { t.ETag = etag(t.Version) }

// Settings are a tenant's choices. docs/tenants.md explains them.
type Settings struct {
	Password                    PasswordSettings `json:"password"`
	RequestsPerMinute           map[string]int   `json:"requests_per_minute"` // by door
	IQmetrixPictureNull         bool             `json:"iqmetrix_picture_null"`
	MaxFailedLogins             int              `json:"max_failed_logins"` // 0: never locks
	NotifyOnCreate              bool             `json:"notify_on_create"`
	SmartappInactiveWithoutSeat bool             `json:"smartapp_inactive_without_seat"`
	RecycleBinDays              int              `json:"recycle_bin_days"`      // 0: nobody is purged by itself
	EventDays                   int              `json:"event_days"`            // 0: events are kept for ever
	ConsoleIdleMinutes          int              `json:"console_idle_minutes"`  // 0: 30
	ConsoleSessionHours         int              `json:"console_session_hours"` // 0: 12
	SecondFactor                string           `json:"second_factor"`         // "optional", "administrators" or "all"; "": optional
}

// PasswordSettings are what new passwords must be.
type PasswordSettings struct {
	MinLength    int  `json:"min_length"` // 0: 15
	AllowBlocked bool `json:"allow_blocked"`
	AllowContext bool `json:"allow_context"`
}

// TenantPatch changes some members of the tenant; Null resets to the default. Who
// closes the canonical door or disables the tenant does not get in again to undo
// it: the server's operator can.
type TenantPatch struct {
	Doors          Opt[[]string]      `json:"doors,omitzero"`
	Hosts          Opt[[]string]      `json:"hosts,omitzero"`
	DefaultCompany Opt[int64]         `json:"default_company,omitzero"`
	Disabled       Opt[bool]          `json:"disabled,omitzero"`
	Settings       Opt[SettingsPatch] `json:"settings,omitzero"`
}

// SettingsPatch changes some settings.
type SettingsPatch struct {
	Password                    Opt[PasswordPatch]       `json:"password,omitzero"`
	RequestsPerMinute           Opt[map[string]Opt[int]] `json:"requests_per_minute,omitzero"` // by door
	IQmetrixPictureNull         Opt[bool]                `json:"iqmetrix_picture_null,omitzero"`
	MaxFailedLogins             Opt[int]                 `json:"max_failed_logins,omitzero"`
	NotifyOnCreate              Opt[bool]                `json:"notify_on_create,omitzero"`
	SmartappInactiveWithoutSeat Opt[bool]                `json:"smartapp_inactive_without_seat,omitzero"`
	RecycleBinDays              Opt[int]                 `json:"recycle_bin_days,omitzero"`
	EventDays                   Opt[int]                 `json:"event_days,omitzero"`
	ConsoleIdleMinutes          Opt[int]                 `json:"console_idle_minutes,omitzero"`
	ConsoleSessionHours         Opt[int]                 `json:"console_session_hours,omitzero"`
	SecondFactor                Opt[string]              `json:"second_factor,omitzero"`
}

// PasswordPatch changes some of what new passwords must be.
type PasswordPatch struct {
	MinLength    Opt[int]  `json:"min_length,omitzero"`
	AllowBlocked Opt[bool] `json:"allow_blocked,omitzero"`
	AllowContext Opt[bool] `json:"allow_context,omitzero"`
}

// TenantService is the tenant.
type TenantService struct{ c *Client }

// Get reads the tenant.
func (s *TenantService) Get(ctx context.Context, options ...CallOption) (*Tenant, error) {
	return read[Tenant](ctx, s.c, path("tenant"), nil, options)
}

// Update changes some members of the tenant.
func (s *TenantService) Update(ctx context.Context, p TenantPatch, options ...CallOption) (*Tenant, error) {
	return write[Tenant](ctx, s.c, &request{method: http.MethodPatch, path: path("tenant"), body: p}, options)
}
