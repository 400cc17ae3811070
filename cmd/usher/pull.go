package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/usher-id/usher/internal/app"
)

// The variables of what is not shown in a process's arguments. They are no settings.
const (
	pullVariables      = "USHER_PULL_"
	pullTokenVariable  = pullVariables + "TOKEN"
	pullPassVariable   = pullVariables + "PASSWORD"
	pullClientVariable = pullVariables + "CLIENT_SECRET"
)

// vendorRequest is how a live API is read, by flags.
type vendorRequest struct {
	app.PullRequest
	token, tokenFile, passwordFile, clientSecretFile string
	ids, usersFile                                   string
	progress                                         string
}

// vendorDoors say what is particular about each API.
var vendorDoors = map[string]struct{ title, about string }{
	"encore": {"an Encore account", "All users are listed, and each of them is read: lists have neither user names nor groups. The base URL is what\n" +
		"stands before /users/v1. The subscription key is the token."},
	"iqmetrix": {"an iQmetrix company", "The active users of a company and of all below it are listed; inactive ones are in no list of this API, and are read\n" +
		"with --ids, which tries every Id of a range. The base URL ends in /v1. Users with their locations, locks and roles take\n" +
		"four requests each; --without locations,locked,roles saves three."},
	"smartapp": {"a Smartapp AppZone", "All users are listed. Where the key goes and what the list's path is was never published: see --credential and --list-path."},
	"edubrite": {"an EduBrite site", "All users are listed, and the members of each group. An API user reads in the name of a site administrator (--act-as)."},
	"servicemobility": {"a ServiceMobility customer", "This API has no list of users: those of service teams (--team), those who hold roles (--role) and those of a file\n" +
		"(--users-file) are read. A customer's id and code are --client-id and the client secret."},
	"scim": {"a SCIM 2.0 service", "All users are listed. The base URL ends where /Users begins, as in https://example.com/scim/v2."},
}

func (p *program) pullCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pull",
		Short: "Bring users in from a live vendor API",
		Long: "Read all users of a live API, and import them: as the doors write them, with ids, numbers and the door's own fields.\n" +
			"Nothing is imported before all have been read. When the command or the network is cut, the same command goes on.\n\n" +
			"Secrets are read from variables or files: the token from " + pullTokenVariable + ", a password from " + pullPassVariable + ",\n" +
			"a client's secret from " + pullClientVariable + ".",
		Args: cobra.NoArgs,
		RunE: showHelp,
	}
	for _, door := range app.PullDoors() {
		cmd.AddCommand(p.pullFrom(door))
	}
	return cmd
}

// sharesEmails are the vendors where several people may have one address, as the
// doors keep it (docs/dialects).
var sharesEmails = map[string]bool{"encore": true, "edubrite": true, "servicemobility": true, "scim": true}

func (p *program) pullFrom(door string) *cobra.Command {
	var at target
	var v vendorRequest
	var r importRequest
	var output, spool string
	var fresh bool
	cmd := &cobra.Command{
		Use:     door,
		Short:   "Bring users in from " + vendorDoors[door].title,
		Long:    "Read the users of " + vendorDoors[door].title + ", and import them as usher import does.\n\n" + vendorDoors[door].about,
		Example: "  " + pullTokenVariable + "=... usher pull " + door + " --base-url https://api.example.com --dry-run",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v.Door, v.File, v.progress = door, spool, r.progress
			if output != "" {
				v.File = output
			}
			if fresh {
				if err := app.RemovePull(v.File); err != nil && !errors.Is(err, os.ErrNotExist) {
					return err
				}
			}
			read, result, err := p.readVendor(cmd, &v)
			if err != nil {
				return err
			}
			if output != "" {
				p.note(fmt.Sprintf("%s has %d users; usher import brings them in", output, result.Users))
				return app.KeepPull(output)
			}
			if r.options.DeactivateMissing && (result.Missing > 0 || !read.Complete()) {
				return errors.New("--deactivate-missing: not all users were read, so that nobody knows who is missing")
			}
			if sharesEmails[door] {
				r.options.SharedEmail = true
			}
			return p.importPulled(cmd, &at, &r, v.File)
		},
	}
	v.addFlags(cmd, door)
	cmd.Flags().StringVar(&output, "output", "", "only write the users to this new file, which usher import reads")
	cmd.Flags().StringVar(&spool, "spool", "usher-pull-"+door+".ndjson", "file of what has been read, until it is imported")
	cmd.Flags().BoolVar(&fresh, "fresh", false, "begin again, instead of going on with what an earlier command has read")
	addPulledFlags(cmd, &r)
	at.addFlags(cmd)
	return cmd
}

// addPulledFlags adds the flags of an import but those about how a file is read.
func addPulledFlags(cmd *cobra.Command, r *importRequest) {
	var of cobra.Command
	r.addFlags(&of)
	of.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "map" && f.Name != "encoding" && f.Name != "separator" {
			f.Usage = strings.ReplaceAll(f.Usage, "beside FILE", "beside the spool")
			cmd.Flags().AddFlag(f)
		}
	})
}

func (v *vendorRequest) addFlags(cmd *cobra.Command, door string) {
	f := cmd.Flags()
	f.StringVar(&v.BaseURL, "base-url", "", "address of the API (required)")
	f.Float64Var(&v.Rate, "rate", 0, "requests a second at most; what the vendor is known to take when left out")
	f.IntVar(&v.Parallel, "parallel", 4, "requests at a time, where each user takes some")
	f.IntVar(&v.Page, "page-size", 0, "users of a page; what suits the API when left out")
	f.DurationVar(&v.Timeout, "timeout", time.Minute, "how long one answer may take")
	f.IntVar(&v.Tries, "tries", 8, "how often a request is sent that fails or is not answered")
	f.Int64Var(&v.MaxBody, "max-answer", 64<<20, "bytes that one answer may have")
	f.Int64Var(&v.Max, "max", 0, "users that are read at most; 5000000 when left out")
	f.StringVar(&v.CAFile, "ca-file", "", "file of certificates (PEM) that are trusted besides the system's")
	f.StringSliceVar(&v.Without, "without", nil, "members of users that are not brought along, as in roles,groups,licence_type")
	own := map[string]func(){
		"token": func() {
			f.StringVar(&v.token, "token", "", "the key or token; better "+pullTokenVariable+" or --token-file, since others see a process's arguments")
			f.StringVar(&v.tokenFile, "token-file", "", "file with the key or token")
		},
		"user":          func() { f.StringVar(&v.User, "user", "", "who signs in; the password is "+pullPassVariable) },
		"password-file": func() { f.StringVar(&v.passwordFile, "password-file", "", "file with the password of --user") },
		"client-id": func() {
			f.StringVar(&v.ClientID, "client-id", "", "the client, or the customer; the secret is "+pullClientVariable)
		},
		"client-secret-file": func() {
			f.StringVar(&v.clientSecretFile, "client-secret-file", "", "file with the secret of --client-id")
		},
		"token-url": func() {
			f.StringVar(&v.TokenURL, "token-url", "", "address of the token service, where it is not below the base URL")
		},
		"entity": func() { f.Int64Var(&v.Company, "entity", 0, "Id of the company whose users are read (required)") },
		"ids": func() {
			f.StringVar(&v.ids, "ids", "", "read these Ids one by one, as in 1-5000, instead of the list: inactive users too")
		},
		"list-only": func() { f.BoolVar(&v.ListOnly, "list-only", false, "read lists alone, without user names and groups") },
		"credential": func() {
			f.StringVar(&v.Place, "credential", "bearer", "where the key goes: bearer, x-api-key, apikey-header or apikey-query")
		},
		"list-path": func() {
			f.StringVar(&v.Path, "list-path", "", "path of the list of users; /user/getusers when left out")
		},
		"act-as": func() {
			f.StringVar(&v.ActAs, "act-as", "", "user name of a site administrator, in whose name is read (required)")
		},
		"team": func() {
			f.StringArrayVar(&v.Teams, "team", nil, "id of a service team whose users are read; may be repeated")
		},
		"role": func() {
			f.StringArrayVar(&v.Roles, "role", nil, "id of a role whose holders are read; may be repeated")
		},
		"users-file": func() { f.StringVar(&v.usersFile, "users-file", "", "file of UserIDs that are read, one a line") },
		"cursor":     func() { f.BoolVar(&v.Cursor, "cursor", false, "name pages by cursors (RFC 9865) instead of by index") },
	}
	for _, name := range app.PullFlags(door) {
		own[name]()
	}
	_ = cmd.MarkFlagRequired("base-url") // the flag was just added
}

// request is what the flags, the variables and the files say.
func (v *vendorRequest) request(p *program) (app.PullRequest, error) {
	r := v.PullRequest
	for _, secret := range []struct {
		flag, file, variable, said string
		to                         *app.Secret
	}{
		{"--token-file", v.tokenFile, pullTokenVariable, v.token, &r.Token},
		{"--password-file", v.passwordFile, pullPassVariable, "", &r.Password},
		{"--client-secret-file", v.clientSecretFile, pullClientVariable, "", &r.ClientSecret},
	} {
		text := secret.said
		if text == "" {
			text = p.variable(secret.variable)
		}
		if secret.file != "" {
			content, err := os.ReadFile(secret.file)
			if err != nil {
				return r, fmt.Errorf("%s: %w", secret.flag, err)
			}
			text = strings.TrimRight(string(content), "\r\n")
		}
		*secret.to = app.Secret(text)
	}
	if v.ids != "" {
		first, last, ok := strings.Cut(v.ids, "-")
		var failed, too error
		r.First, failed = strconv.ParseInt(strings.TrimSpace(first), 10, 32)
		r.Last, too = strconv.ParseInt(strings.TrimSpace(last), 10, 32)
		if !ok || failed != nil || too != nil || r.First < 1 || r.Last < r.First {
			return r, fmt.Errorf("--ids: %q is no range, as in 1-5000", v.ids)
		}
	}
	if v.usersFile != "" {
		content, err := os.ReadFile(v.usersFile)
		if err != nil {
			return r, fmt.Errorf("--users-file: %w", err)
		}
		for line := range strings.Lines(string(content)) {
			if id := strings.TrimSpace(line); id != "" {
				r.Users = append(r.Users, id)
			}
		}
	}
	if r.Rate < 0 {
		return r, errors.New("--rate: must not be negative")
	}
	return r, nil
}

// readVendor reads the API into the file, and says what came of it.
func (p *program) readVendor(cmd *cobra.Command, v *vendorRequest) (*app.Pull, app.PullResult, error) {
	r, err := v.request(p)
	if err != nil {
		return nil, app.PullResult{}, err
	}
	if v.token != "" {
		p.note("--token can be seen by others on this machine, in the list of processes; " + pullTokenVariable + " cannot")
	}
	from, done := app.PullState(v.File)
	g := p.progress("reading "+r.Door, from, 0)
	if v.progress == "plain" || v.progress == "none" {
		g.bar = false
	}
	if v.progress == "none" {
		g.out = io.Discard
	}
	r.Progress, r.Note = g.set, g.say
	read, err := app.NewPull(r)
	if err != nil {
		return nil, app.PullResult{}, err
	}
	switch {
	case done:
		p.note(fmt.Sprintf("%s has been read already, with %d users; --fresh reads it again", v.File, from))
	case from > 0:
		p.note(fmt.Sprintf("going on after %d users in %s", from, v.File))
	}
	result, err := read.Read(cmd.Context())
	g.end()
	if err != nil {
		if result.Users > 0 {
			err = fmt.Errorf("%w\n%d users are in %s, and nothing was imported; the same command goes on", err, result.Users, v.File)
		}
		switch status := app.PullRefused(err); {
		case status == http.StatusUnauthorized || status == http.StatusForbidden:
			err = withExit(exitRefused, err)
		case status == http.StatusTooManyRequests || status >= 500:
			err = withExit(exitUnavailable, err)
		}
		return nil, result, err
	}
	p.tellRead(&result)
	return read, result, nil
}

// tellRead says what the records could not bring along.
func (p *program) tellRead(result *app.PullResult) {
	for _, what := range slices.Sorted(maps.Keys(result.Left)) {
		p.note(fmt.Sprintf("left out: %s (%d)", what, result.Left[what]))
	}
	if result.Missing > 0 {
		p.note(fmt.Sprintf("%d users were read, and the API says that there are %d more: some came or went meanwhile", result.Users, result.Missing))
	}
}

// importPulled imports what was read, and then removes it.
func (p *program) importPulled(cmd *cobra.Command, at *target, r *importRequest, file string) error {
	in, err := p.openImport(file, r)
	if err != nil {
		return err
	}
	defer in.close()
	err = p.on(cmd, at, func(ctx context.Context, a *app.TenantAdmin) error {
		return in.run(ctx, &nearImports{a}, a.Tenant.Name)
	}, func(ctx context.Context, s *remote) error {
		return in.run(ctx, &farImports{s}, s.tenant.Name)
	})
	partly := err != nil && exitStatus(err) == exitPartly
	switch {
	case r.dryRun:
		p.note(fmt.Sprintf("what was read is kept in %s; the same command without --dry-run imports it", file))
	case err == nil || partly:
		err = errors.Join(err, app.RemovePull(file))
	}
	return err
}
