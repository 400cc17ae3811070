package app

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/dialect/edubrite"
	"github.com/usher-id/usher/internal/dialect/encore"
	"github.com/usher-id/usher/internal/dialect/iqmetrix"
	"github.com/usher-id/usher/internal/dialect/scim"
	"github.com/usher-id/usher/internal/dialect/servicemobility"
	"github.com/usher-id/usher/internal/dialect/smartapp"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/pull"
	"github.com/usher-id/usher/internal/web"
)

// Secret is a text that is never printed.
type Secret = directory.Secret

// PullRequest says which live API is read, with which credential and how. What a door
// has no use for is refused.
type PullRequest struct {
	Door    string
	BaseURL string

	Token        directory.Secret // a key or token that goes with every request
	User         string           // with Password: whose credential is got
	Password     directory.Secret
	ClientID     string // of iqmetrix; of servicemobility the customer's id
	ClientSecret directory.Secret
	TokenURL     string // of iqmetrix, where its token service has a host of its own
	ActAs        string // of edubrite: the person whose rights count
	Place        string // of smartapp: where the key goes
	Path         string // of smartapp: of the list

	Company     int64    // of iqmetrix
	First, Last int64    // of iqmetrix: ids that are read one by one
	Teams       []string // of servicemobility
	Roles       []string // of servicemobility
	Users       []string // of servicemobility
	ListOnly    bool     // of encore
	Cursor      bool     // of scim

	Page, Parallel int
	Rate           float64 // requests a second; 0: what the door's vendor is known to take
	Timeout        time.Duration
	Tries          int
	CAFile         string
	MaxBody        int64
	Max            int64
	Without        []string // members of records that are left out

	File     string // where the records go
	Progress func(done, total int64)
	Note     func(string) // what is waited for, "" when it goes on
}

// Pull reads a live API, and compares it with the directory.
type Pull struct {
	source pull.Source
	opts   pull.Options
}

// PullResult is what was read.
type PullResult = pull.Result

// PullDoors are the doors whose live APIs can be read.
func PullDoors() []string {
	names := make([]string, len(pullDoors))
	for i := range pullDoors {
		names[i] = pullDoors[i].name
	}
	return names
}

// pullDoor is a door whose API can be read: how fast unless somebody says otherwise,
// the flags it has beside those of all, what is missing of them, and its reader.
type pullDoor struct {
	name   string
	rate   float64 // requests a second
	flags  []string
	needs  func(*PullRequest) error
	source func(*PullRequest) pull.Source
}

// The vendors publish few limits: Encore's connector is known to be let through 100
// times in 15 seconds (docs/dialects/encore.md 2).
var pullDoors = []pullDoor{
	{"encore", 6, []string{"token", "list-only"}, needsToken, func(r *PullRequest) pull.Source {
		return encore.NewRemote(encore.RemoteOptions{BaseURL: r.BaseURL, Key: string(r.Token), Page: r.Page, Parallel: r.Parallel, ListOnly: r.ListOnly})
	}},
	{"iqmetrix", 10, []string{"token", "user", "password-file", "client-id", "client-secret-file", "token-url", "entity", "ids"}, needsIQmetrix,
		func(r *PullRequest) pull.Source {
			return iqmetrix.NewRemote(iqmetrix.RemoteOptions{BaseURL: r.BaseURL, Company: r.Company, First: r.First, Last: r.Last,
				Token: string(r.Token), TokenURL: r.TokenURL, User: r.User, Password: string(r.Password), ClientID: r.ClientID,
				ClientSecret: string(r.ClientSecret), Page: r.Page, Parallel: r.Parallel, NoLocations: r.without("locations"),
				NoLock: r.without("locked"), NoRole: r.without("roles")})
		}},
	{"smartapp", 10, []string{"token", "credential", "list-path"}, needsSmartapp, func(r *PullRequest) pull.Source {
		return smartapp.NewRemote(smartapp.RemoteOptions{BaseURL: r.BaseURL, Key: string(r.Token), Credential: smartapp.Credential(r.Place),
			Path: r.Path, Page: r.Page})
	}},
	{"edubrite", 10, []string{"user", "password-file", "act-as"}, needsEduBrite, func(r *PullRequest) pull.Source {
		return edubrite.NewRemote(edubrite.RemoteOptions{BaseURL: r.BaseURL, User: r.User, Password: string(r.Password), ActAs: r.ActAs,
			Page: r.Page, NoGroups: r.without("groups")})
	}},
	{"servicemobility", 10, []string{"token", "user", "password-file", "client-id", "client-secret-file", "team", "role", "users-file"},
		needsServiceMobility, func(r *PullRequest) pull.Source {
			return servicemobility.NewRemote(servicemobility.RemoteOptions{BaseURL: r.BaseURL, Teams: r.Teams, Roles: r.Roles, Users: r.Users,
				Token: string(r.Token), User: r.User, Password: string(r.Password), CustomerID: r.ClientID,
				CustomerSecret: string(r.ClientSecret), Page: r.Page, Parallel: r.Parallel, NoRoles: r.without("roles")})
		}},
	{"scim", 10, []string{"token", "cursor"}, needsToken, func(r *PullRequest) pull.Source {
		return scim.NewRemote(scim.RemoteOptions{BaseURL: r.BaseURL, Token: string(r.Token), Page: r.Page, Cursor: r.Cursor})
	}},
}

func (r *PullRequest) without(member string) bool { return slices.Contains(r.Without, member) }

// PullFlags are the flags that a door has beside those of all.
func PullFlags(door string) []string {
	for i := range pullDoors {
		if pullDoors[i].name == door {
			return pullDoors[i].flags
		}
	}
	return nil
}

func needsToken(r *PullRequest) error {
	if r.Token == "" {
		return errors.New("--token: the API needs a key; set USHER_PULL_TOKEN, or name a file with --token-file")
	}
	return nil
}

// needsUser is for doors that sign in.
func needsUser(r *PullRequest) error {
	if r.User == "" || r.Password == "" {
		return errors.New("--user: name who signs in, and set USHER_PULL_PASSWORD or name a file with --password-file")
	}
	return nil
}

func needsIQmetrix(r *PullRequest) error {
	if r.Company <= 0 {
		return errors.New("--entity: name the company whose users are read, by its Id there; those of all companies below it come with them")
	}
	if r.Token != "" {
		return nil
	}
	if r.ClientID == "" || r.ClientSecret == "" {
		return errors.New("--token: the API needs a token (USHER_PULL_TOKEN or --token-file), or --client-id with USHER_PULL_CLIENT_SECRET and --user with USHER_PULL_PASSWORD")
	}
	return needsUser(r)
}

func needsSmartapp(r *PullRequest) error {
	if r.Place != "" && !slices.Contains(smartapp.Credentials(), smartapp.Credential(r.Place)) {
		return fmt.Errorf("--credential: %q is none of bearer, x-api-key, apikey-header and apikey-query", r.Place)
	}
	if r.Path != "" && !strings.HasPrefix(r.Path, "/") {
		return errors.New("--list-path: a path begins with /")
	}
	return needsToken(r)
}

func needsEduBrite(r *PullRequest) error {
	if r.ActAs == "" {
		return errors.New("--act-as: name the person, a site administrator, in whose name the API user reads")
	}
	return needsUser(r)
}

func needsServiceMobility(r *PullRequest) error {
	if len(r.Teams)+len(r.Roles)+len(r.Users) == 0 {
		return errors.New("--team: this API has no list of users; name service teams or roles (--role) whose users are read, or a file of UserIDs (--users-file)")
	}
	if r.Token != "" || r.ClientID != "" && r.ClientSecret != "" {
		return nil
	}
	return needsUser(r)
}

// NewPull prepares a reading. Errors name the flag.
func NewPull(r PullRequest) (*Pull, error) {
	at := slices.IndexFunc(pullDoors, func(d pullDoor) bool { return d.name == r.Door })
	if at < 0 {
		return nil, fmt.Errorf("%q is none of %s", r.Door, strings.Join(PullDoors(), ", "))
	}
	door := &pullDoors[at]
	base, err := url.Parse(r.BaseURL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("--base-url: name the API as in https://api.example.com, without a user, a query or a fragment")
	}
	if err := door.needs(&r); err != nil {
		return nil, err
	}
	for _, name := range r.Without {
		if !slices.Contains(directory.RecordMembers(), name) || name == "user_name" {
			return nil, fmt.Errorf("--without: %q is none of %s", name, strings.Join(directory.RecordMembers(), ", "))
		}
	}
	if r.Rate == 0 {
		r.Rate = door.rate
	}
	client, err := pull.NewClient(pull.ClientOptions{CAFile: r.CAFile, Rate: r.Rate, Timeout: r.Timeout, Tries: r.Tries, MaxBody: r.MaxBody,
		UserAgent: "usher-pull/" + Version(), Note: r.Note})
	if err != nil {
		return nil, fmt.Errorf("--ca-file: %w", err)
	}
	source := door.source(&r)
	p := &Pull{source: source, opts: pull.Options{Source: source, Ask: client.Ask, Name: r.name(), File: r.File, Max: r.Max, Without: r.Without}}
	if r.Progress != nil {
		p.opts.Progress = func(at pull.Progress) { r.Progress(at.Users, at.Total) }
	}
	return p, nil
}

// name is what is read, without secrets.
func (r *PullRequest) name() string {
	words := []string{r.Door, strings.TrimRight(r.BaseURL, "/")}
	for _, part := range []struct {
		name  string
		value any
		set   bool
	}{
		{"company", r.Company, r.Company != 0}, {"ids", fmt.Sprintf("%d-%d", r.First, r.Last), r.Last != 0}, {"team", r.Teams, len(r.Teams) > 0},
		{"role", r.Roles, len(r.Roles) > 0}, {"users", len(r.Users), len(r.Users) > 0}, {"list-only", r.ListOnly, r.ListOnly},
		{"without", r.Without, len(r.Without) > 0}, {"path", r.Path, r.Path != ""}, {"page", r.Page, r.Page != 0},
	} {
		if part.set {
			words = append(words, fmt.Sprintf("%s=%v", part.name, part.value))
		}
	}
	return strings.Join(words, " ")
}

// Read reads all users into the file, or goes on where an earlier call ended.
func (p *Pull) Read(ctx context.Context) (PullResult, error) { return pull.Read(ctx, p.opts) }

// RemovePull removes the file of a reading and its note.
func RemovePull(file string) error { return pull.Remove(file) }

// KeepPull makes of a reading that has ended a file like any other.
func KeepPull(file string) error { return pull.RemoveNote(file) }

// Drift is a user who is not the same in a live API and here, as it is printed.
type Drift struct {
	Drift    string                 `json:"drift"` // only_there, only_here, changed
	ID       string                 `json:"id,omitempty"`
	Number   int64                  `json:"number,omitempty"`
	UserName string                 `json:"user_name,omitempty"`
	Fields   []pull.FieldDifference `json:"fields,omitempty"`
}

// LocalUsers hands out the users that are here, as an export of usher has them.
type LocalUsers func(ctx context.Context, each func([]directory.Record) error) error

// LinesOf are the users of an export in the format "ndjson".
func LinesOf(in io.Reader) LocalUsers {
	return func(_ context.Context, each func([]directory.Record) error) error {
		lines := bufio.NewReaderSize(in, 256<<10)
		for {
			line, err := lines.ReadBytes('\n')
			if len(strings.TrimSpace(string(line))) > 0 {
				var r directory.Record
				if err := json.Unmarshal(line, &r); err != nil {
					return fmt.Errorf("the export of the server: %w", err)
				}
				if err := each([]directory.Record{r}); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
}

// LocalUsers are the users of the tenant, or of a company and those below it.
func (a *TenantAdmin) LocalUsers(company int64) LocalUsers {
	return func(ctx context.Context, each func([]directory.Record) error) error {
		return forPeople(a.service.ExportUsers(ctx, a.call(a.Tenant.No), directory.UserQuery{Company: company}, directory.IncludeRecord, each))
	}
}

// CompanyNames are the names of the tenant's companies, by number.
func (a *TenantAdmin) CompanyNames(ctx context.Context) (map[int64]string, error) {
	names := map[int64]string{}
	q := directory.ListQuery{Limit: maxCompanyPage}
	for {
		page, err := a.service.ListCompanies(ctx, a.call(a.Tenant.No), q)
		if err != nil {
			return nil, forPeople(err)
		}
		for i := range page.Items {
			names[page.Items[i].Number] = page.Items[i].Name
		}
		if page.Next == "" {
			return names, nil
		}
		q.Cursor = page.Next
	}
}

// maxCompanyPage is how many companies are listed at a time.
const maxCompanyPage = 200

// Compare compares the file that Read has read with the users who are here: only what
// the API shows, and as it would show it. names are those of companies here.
func (p *Pull) Compare(ctx context.Context, here LocalUsers, names map[int64]string, each func(*Drift) error) (err error) {
	index, err := pull.NewIndex(p.opts.File)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, index.Close()) }()
	tell := func(d *pull.Difference) error {
		who := cmp.Or(d.There, d.Here)
		out := Drift{Drift: d.Kind, Fields: d.Fields}
		if who.ID != nil {
			out.ID = *who.ID
		}
		if who.Number != nil {
			out.Number = *who.Number
		}
		if who.UserName != nil {
			out.UserName = *who.UserName
		}
		return each(&out)
	}
	err = here(ctx, func(records []directory.Record) error {
		for i := range records {
			detail := records[i].Detail(names)
			shown, err := p.source.Shown(&detail)
			if err != nil {
				return err
			}
			d, err := index.Compare(&shown, p.source.Complete() && p.source.Lists(&detail))
			if err == nil && d != nil {
				err = tell(d)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return index.Rest(tell)
}

// PullRefused is the status with which the API refused a reading, 0 for any other
// error.
func PullRefused(err error) int {
	if refused, ok := errors.AsType[*web.RemoteError](err); ok && refused.Status >= 400 {
		return refused.Status
	}
	return 0
}

// PullState is how far an earlier reading into a file came.
func PullState(file string) (users int64, done bool) { return pull.State(file) }

// Complete reports whether the API lists all its users, so that who is only here can
// be told.
func (p *Pull) Complete() bool { return p.source.Complete() }

// TempPull makes an empty place for a reading that is compared and then removed.
func TempPull() (file string, remove func() error, err error) {
	folder, err := os.MkdirTemp("", "usher-diff-")
	if err != nil {
		return "", nil, err
	}
	return folder + string(os.PathSeparator) + "users.ndjson", func() error { return os.RemoveAll(folder) }, nil
}
