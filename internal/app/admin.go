package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/config"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/store"
)

// Admin is the directory as the command line works on it: with the database
// opened for one command and no credential, since who can open the database
// needs no permission from it.
type Admin struct {
	db      *store.DB
	service *directory.Service
	command string // names the command in events
	cfg     *config.Config
}

// OpenAdmin opens the database of the settings for a command, which names it
// in the events. Close it afterwards.
func OpenAdmin(ctx context.Context, cfg *config.Config, log *slog.Logger, command string) (*Admin, error) {
	sealer, err := commandSealer(cfg)
	if err != nil {
		return nil, err
	}
	db, err := OpenStore(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	return &Admin{db: db, service: directory.New(db, directory.Options{Sealer: sealer, PublicURL: cfg.BaseURL()}), command: command, cfg: cfg}, nil
}

// Close closes the database.
func (a *Admin) Close() error { return a.db.Close() }

// CreateTenant makes a tenant with its default company. doors is a list of
// names or "all"; hosts are host names that lead to the tenant.
func (a *Admin) CreateTenant(ctx context.Context, name, doors string, hosts []string) (directory.Tenant, error) {
	set, err := directory.ParseDoors(doors)
	if err != nil {
		return directory.Tenant{}, flagError("--doors", err)
	}
	t, err := a.service.CreateTenant(ctx, a.call(0), directory.Tenant{Name: name, Doors: set, Hosts: hosts}, directory.Company{})
	return t, forPeople(err)
}

// Tenants lists the tenants.
func (a *Admin) Tenants(ctx context.Context) ([]directory.Tenant, error) {
	list, err := a.service.Tenants(ctx, a.call(0))
	return list, forPeople(err)
}

// TenantAdmin is an Admin that works on one tenant.
type TenantAdmin struct {
	*Admin
	Tenant directory.Tenant
}

// Tenant finds a tenant by name; "" is the only one.
func (a *Admin) Tenant(ctx context.Context, name string) (*TenantAdmin, error) {
	t, err := a.findTenant(ctx, name)
	return &TenantAdmin{Admin: a, Tenant: t}, err
}

func (a *Admin) findTenant(ctx context.Context, name string) (directory.Tenant, error) {
	if name != "" {
		t, err := a.service.TenantByName(ctx, a.call(0), name)
		if directory.CodeOf(err) == directory.CodeNotFound {
			return t, notFound("--tenant: there is no tenant %q", name)
		}
		return t, forPeople(err)
	}
	tenants, err := a.Tenants(ctx)
	switch {
	case err != nil:
		return directory.Tenant{}, err
	case len(tenants) == 0:
		return directory.Tenant{}, errors.New("there is no tenant yet; run: usher tenant create NAME")
	case len(tenants) > 1:
		return directory.Tenant{}, fmt.Errorf("--tenant: there are %d tenants; name one", len(tenants))
	}
	return tenants[0], nil
}

// KeyRequest is what the command line asks of a new API key.
type KeyRequest struct {
	Name      string
	Rank      string
	Doors     string        // list of names, or "all"
	Company   int64         // the key sees only it and what is below; 0: the tenant
	ExpiresIn time.Duration // 0: never
}

// CreateKey makes an API key and returns its secret, which is shown only here.
func (a *TenantAdmin) CreateKey(ctx context.Context, r KeyRequest) (directory.Credential, string, error) {
	in := directory.NewCredential{Name: r.Name, Root: r.Company}
	var err error
	switch {
	case strings.TrimSpace(r.Name) == "":
		err = errors.New("--name: give the key a name")
	case r.Company < 0 || r.Company > directory.MaxNumber:
		err = fmt.Errorf("--company: %d is not a company's number", r.Company)
	case r.ExpiresIn < 0:
		err = errors.New("--expires-in: must not be negative")
	}
	if err != nil {
		return directory.Credential{}, "", err
	}
	if r.ExpiresIn > 0 {
		in.ExpiresAt = time.Now().Add(r.ExpiresIn)
	}
	if in.Rank, err = directory.ParseRank(r.Rank); err != nil {
		return directory.Credential{}, "", flagError("--rank", err)
	}
	if in.Doors, err = directory.ParseDoors(r.Doors); err != nil {
		return directory.Credential{}, "", flagError("--doors", err)
	}
	key, secret, err := a.service.CreateKey(ctx, a.call(a.Tenant.No), in)
	return key, secret, forPeople(err)
}

// ClientRequest is what the command line asks of a new client.
type ClientRequest struct {
	Kind     string // oauth, api_user or customer
	Name     string
	ClientID string // "" is drawn
	Rank     string // of an API user or a customer
	Doors    string // list of names, or "all"
}

// CreateClient makes an OAuth client, an API user or a customer's id and code,
// and returns its secret, which is shown only here.
func (a *TenantAdmin) CreateClient(ctx context.Context, r ClientRequest) (directory.Credential, string, error) {
	create, known := map[string]func(context.Context, *directory.Call, directory.NewCredential) (directory.Credential, string, error){
		"oauth": a.service.CreateClient, "api_user": a.service.CreateAPIUser, "customer": a.service.CreateCustomer,
	}[r.Kind]
	if !known {
		return directory.Credential{}, "", fmt.Errorf("--kind: %q is none of oauth, api_user and customer", r.Kind)
	}
	if strings.TrimSpace(r.Name) == "" {
		return directory.Credential{}, "", errors.New("--name: give the client a name")
	}
	in := directory.NewCredential{Name: r.Name, ClientID: r.ClientID}
	var err error
	if in.Doors, err = directory.ParseDoors(r.Doors); err != nil {
		return directory.Credential{}, "", flagError("--doors", err)
	}
	if in.Rank, err = directory.ParseRank(r.Rank); err != nil {
		return directory.Credential{}, "", flagError("--rank", err)
	}
	client, secret, err := create(ctx, a.call(a.Tenant.No), in)
	return client, secret, forPeople(err)
}

// Credentials lists the tenant's API keys and OAuth clients, oldest first.
func (a *TenantAdmin) Credentials(ctx context.Context) ([]directory.Credential, error) {
	list, err := a.service.Credentials(ctx, a.call(a.Tenant.No))
	return list, forPeople(err)
}

// RevokeCredential ends an API key or OAuth client of the tenant.
func (a *TenantAdmin) RevokeCredential(ctx context.Context, id string) error {
	return forPeople(a.service.RevokeCredential(ctx, a.call(a.Tenant.No), id))
}

func (a *Admin) call(t directory.TenantNo) *directory.Call { return directory.System(t, a.command) }

// forPeople keeps of a directory error what a person reads, without the codes
// that are for programs; other errors pass.
func forPeople(err error) error {
	if err == nil || directory.CodeOf(err) == directory.CodeInternal {
		return err
	}
	e := directory.AsError(err)
	return &Refusal{Code: string(e.Code), Message: e.Message}
}

// Refusal is what the directory refuses, as a person reads it.
type Refusal struct {
	Code    string // its class, as the API names it: not_found, conflict, …
	Message string
}

// notFound is the refusal of what is named and is not there.
func notFound(format string, args ...any) error {
	return &Refusal{Code: string(directory.CodeNotFound), Message: fmt.Sprintf(format, args...)}
}

// Error is the message.
func (r *Refusal) Error() string { return r.Message }

func flagError(flag string, err error) error { return fmt.Errorf("%s: %w", flag, forPeople(err)) }

// DoorNamesText is DoorsText of the names of doors.
func DoorNamesText(names []string) string {
	text := strings.Join(names, ",")
	if set, err := directory.ParseDoors(text); err == nil {
		return DoorsText(set)
	}
	return text // a door that this version does not know
}

// DoorNames are the names of all doors.
func DoorNames() []string { return strings.Split(directory.AllDoors.String(), ",") }

// JobKinds are the names of the kinds of jobs.
func JobKinds() (names []string) {
	for _, k := range directory.JobKinds() {
		names = append(names, string(k))
	}
	return names
}

// EventTypes are the names of all types of events, and of all of a noun.
func EventTypes() (names []string) {
	for _, t := range directory.EventTypes() {
		noun, _, _ := strings.Cut(string(t), ".")
		names = append(names, string(t), noun+".*")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// DoorsText is a set of doors as settings write it.
func DoorsText(set directory.DoorSet) string {
	if set == directory.AllDoors {
		return "all"
	}
	return set.String()
}
