package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/usher-id/usher/client"
)

// page is how many a page of a list has that ends after l.most.
func (l *listing) page() int {
	if l.most > 0 {
		return min(200, l.most)
	}
	return 200
}

// printMembers prints the users of a group or a role.
func (p *program) printMembers(l listing, list iter.Seq2[client.Member, error]) error {
	return printList(p.stdout, l, list, "NUMBER\tUSER NAME\tNAME\tID", func(m *client.Member) []string {
		return cells(m.Number, m.UserName, m.DisplayName, m.ID)
	})
}

// onUser makes a command about one user of a server.
func (p *program) onUser(cmd *cobra.Command, do func(context.Context, *remote, *client.User) error) *cobra.Command {
	var user string
	userFlag(cmd, &user)
	cmd.Args = cobra.NoArgs
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		u, err := r.user(ctx, user)
		if err != nil {
			return err
		}
		return do(ctx, r, u)
	})
}

func (p *program) userEditCommand() *cobra.Command {
	var patch client.UserPatch
	var attributes []string
	cmd := &cobra.Command{
		Use:   "edit",
		Short: "Change fields of a user, on a running server; an empty value resets",
		Long: "Change fields of a user, on a running server: those that flags name, all at once or none; an empty value resets a field.\n" +
			"Somebody else's change at the same moment is a conflict, and nothing is changed.",
		Example: "  usher user edit --user ana@example.com --title 'Field engineer' --company 14150\n" +
			"  usher user edit --user ana --expires-at 2027-01-31 --attribute badge=4711 --attribute shirt=",
	}
	addUserFields(cmd, &patch)
	cmd.Flags().StringArrayVar(&attributes, "attribute", nil, "KEY=VALUE of an attribute, whose value may be JSON; without a value it is removed; can be repeated")
	return p.onUser(cmd, func(ctx context.Context, r *remote, u *client.User) error {
		changed := false
		cmd.Flags().Visit(func(f *pflag.Flag) { changed = changed || !aboutCall[f.Name] })
		if !changed {
			return nothingToChange(cmd)
		}
		if len(attributes) > 0 {
			set, err := attributesOf(attributes)
			if err != nil {
				return err
			}
			patch.Attributes = client.Set(set)
		}
		after, err := r.Users.Update(ctx, u.ID, patch, client.IfMatch(u.ETag), r.because)
		if err != nil {
			return err
		}
		text := "changed %s, now version %d\n"
		if after.Version == u.Version {
			text = "%s was so already, version %d\n"
		}
		_, err = fmt.Fprintf(p.stdout, text, after.UserName, after.Version)
		return err
	})
}

// aboutCall are the flags of an edit that change nothing of what it is about.
var aboutCall = map[string]bool{"user": true, serverFlag: true, profileFlag: true, "key-file": true, "reason": true}

// addUserFields adds the flags of what can be changed of a user.
func addUserFields(cmd *cobra.Command, patch *client.UserPatch) {
	optText(cmd, &patch.UserName, "user-name", "what the user signs in with")
	optText(cmd, &patch.Email, "email", "e-mail address")
	optText(cmd, &patch.GivenName, "given-name", "given name")
	optText(cmd, &patch.FamilyName, "family-name", "family name")
	optText(cmd, &patch.DisplayName, "display-name", "name to show")
	optText(cmd, &patch.Title, "title", "job title")
	optTime(cmd, &patch.ValidFrom, "valid-from", "from when on the user can sign in: a time (RFC 3339) or a date")
	optTime(cmd, &patch.ExpiresAt, "expires-at", "until when the user can sign in: a time (RFC 3339) or a date")
	optNumber(cmd, &patch.Company, "company", "number of the company")
	optText(cmd, &patch.EmployeeNumber, "employee-number", "employee number")
	optText(cmd, &patch.OpenID, "open-id", "OpenID")
	optText(cmd, &patch.WebMDN, "web-mdn", "web MDN")
	optText(cmd, &patch.ClientUserID, "client-user-id", "what a client calls the user")
	optText(cmd, &patch.ExternalID, "external-id", "what this key calls the user")
	optText(cmd, &patch.LicenceType, "licence-type", "licence type, of which an active user holds a seat")
	optText(cmd, &patch.Language, "language", "language (BCP 47)")
	optText(cmd, &patch.TimeZone, "time-zone", "time zone, as in Europe/Berlin")
	optText(cmd, &patch.StorageLocation, "storage-location", "storage location")
	optBool(cmd, &patch.MobileOnly, "mobile-only", "whether the user signs in on phones alone")
}

func (p *program) userPurgeCommand() *cobra.Command {
	var user string
	var yes bool
	cmd := &cobra.Command{
		Use:   "purge --user WHO --yes",
		Short: "Erase a user that is in the recycle bin, for ever, on a running server",
		Long: "Erase a user that is in the recycle bin, for ever, with what the history says of it. --user is the id, or the user name\n" +
			"or address that the user had. Nothing brings it back, so that it takes --yes.",
		Args: cobra.NoArgs,
	}
	userFlag(cmd, &user)
	cmd.Flags().BoolVar(&yes, "yes", false, "erase")
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		u, err := r.removed(ctx, user)
		if err != nil {
			return err
		}
		if !yes {
			return fmt.Errorf("--yes: %s (%s) would be erased for ever; say --yes to do it", u.UserName, u.ID)
		}
		if err := r.Users.Purge(ctx, u.ID, r.because); err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "erased %s with id %s\n", u.UserName, u.ID)
		return err
	})
}

// userTellCommand makes a command that answers with nothing but that it was done.
func (p *program) userTellCommand(verb, short, done string, do func(*client.UserService, context.Context, string, ...client.CallOption) error) *cobra.Command {
	return p.onUser(&cobra.Command{Use: verb, Short: short}, func(ctx context.Context, r *remote, u *client.User) error {
		if err := do(r.Users, ctx, u.ID, r.because); err != nil {
			return err
		}
		_, err := fmt.Fprintf(p.stdout, done+"\n", u.UserName)
		return err
	})
}

func (p *program) userSessionsCommand() *cobra.Command {
	var l listing
	var end string
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "List the sign-ins of a user, or end one with --end, on a running server; `usher user sign-out` ends all",
	}
	cmd.Flags().StringVar(&end, "end", "", "id of a session to end")
	l.addFlags(cmd)
	return p.onUser(cmd, func(ctx context.Context, r *remote, u *client.User) error {
		if end != "" {
			if err := r.Users.EndSession(ctx, u.ID, end, r.because); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.stdout, "ended session %s of %s\n", end, u.UserName)
			return err
		}
		list, err := r.Users.Sessions(ctx, u.ID)
		if err != nil {
			return err
		}
		return printList(p.stdout, l, each(list), "ID\tDOOR\tCLIENT\tSINCE\tUNTIL", func(s *client.UserSession) []string {
			return cells(s.ID, s.Door, s.Client, s.CreatedAt, s.ExpiresAt)
		})
	})
}

func (p *program) userGroupsCommand() *cobra.Command {
	var l listing
	cmd := &cobra.Command{Use: "groups", Short: "List the groups of a user, from a running server; `usher group add` puts into one"}
	l.addFlags(cmd)
	return p.onUser(cmd, func(ctx context.Context, r *remote, u *client.User) error {
		list, err := r.Users.Groups(ctx, u.ID)
		if err != nil {
			return err
		}
		return printList(p.stdout, l, each(list), "NAME\tKIND\tPART\tID", func(g *client.GroupRef) []string {
			return cells(g.Name, g.Kind, g.Role, g.ID)
		})
	})
}

func (p *program) userRolesCommand() *cobra.Command {
	var l listing
	cmd := &cobra.Command{Use: "roles", Short: "List the roles of a user, from a running server; `usher user role` gives one"}
	l.addFlags(cmd)
	return p.onUser(cmd, func(ctx context.Context, r *remote, u *client.User) error {
		list, err := r.Users.Roles(ctx, u.ID)
		if err != nil {
			return err
		}
		return printList(p.stdout, l, each(list), "NUMBER\tNAME\tRANK\tCOMPANY", func(o *client.RoleRef) []string {
			return cells(o.Role, o.Name, o.Rank, numberOrDash(o.Company))
		})
	})
}

func (p *program) userLocationsCommand() *cobra.Command {
	var l listing
	cmd := &cobra.Command{Use: "locations", Short: "List the locations of a user, from a running server; `usher location add` assigns to one"}
	l.addFlags(cmd)
	return p.onUser(cmd, func(ctx context.Context, r *remote, u *client.User) error {
		list, err := r.Users.Locations(ctx, u.ID)
		if err != nil {
			return err
		}
		return printList(p.stdout, l, each(list), "NUMBER\tNAME\tCOMPANY\tID", func(o *client.LocationRef) []string {
			return cells(o.Number, o.Name, o.Company, o.ID)
		})
	})
}

func (p *program) userHistoryCommand() *cobra.Command {
	var l listing
	var user string
	cmd := &cobra.Command{
		Use:   "history",
		Short: "List what has changed of a user, the oldest first, from a running server",
		Long: "List what has changed of a user, the oldest first, from a running server; also of one in the recycle bin, by its id.\n" +
			"--json has the values before and after too. `usher event list` has more to select by.",
		Args: cobra.NoArgs,
	}
	userFlag(cmd, &user)
	l.addFlags(cmd)
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		if user == "" {
			return errors.New("--user: name the user")
		}
		id, err := r.userID(ctx, user)
		if err != nil {
			return err
		}
		return p.printEvents(l, r.Users.AllEvents(ctx, id, client.PageQuery{Limit: l.page()}))
	})
}
