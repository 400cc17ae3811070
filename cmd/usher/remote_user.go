package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
)

// changeRole gives a user a role, or takes it away for every company.
func (r *remote) changeRole(ctx context.Context, who, text string, company int64, remove bool) (roleChange, error) {
	u, err := r.user(ctx, who)
	if err != nil {
		return roleChange{}, err
	}
	if company == 0 {
		company = u.Company
	}
	role, err := r.role(ctx, text, company)
	if err != nil {
		return roleChange{}, err
	}
	held, err := r.Users.Roles(ctx, u.ID)
	if err != nil {
		return roleChange{}, err
	}
	done := roleChange{user: u.UserName, role: role.Key, company: company, changed: true}
	for _, h := range held {
		if h.Role == role.Number && h.Company == company {
			done.changed = false
		}
	}
	if remove {
		err = r.Users.TakeRole(ctx, u.ID, role.Number, r.because)
		if client.IsReason(err, "role.not_found") {
			err = fmt.Errorf("--role: %s does not have the role %s", u.UserName, role.Key)
		}
	} else {
		err = r.Users.GiveRole(ctx, u.ID, role.Number, company, r.because)
	}
	if err != nil {
		return done, err
	}
	u, err = r.Users.Get(ctx, u.ID)
	if err == nil {
		done.rank = u.Rank
	}
	return done, err
}

// ask makes a command that only a server can answer.
func (p *program) ask(cmd *cobra.Command, do func(ctx context.Context, r *remote, args []string) error) *cobra.Command {
	var at target
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return p.asked(cmd, &at, func(ctx context.Context, r *remote) error { return do(ctx, r, args) })
	}
	at.addServerFlags(cmd)
	return cmd
}

func (p *program) userListCommand() *cobra.Command {
	var q client.UserQuery
	var l listing
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List users, from a running server",
		Long: "List users, from a running server: a table, or with --json one object a line. Users in the recycle bin are listed\n" +
			"with --status deleted. --filter has the grammar of SCIM.",
		Example: "  usher user list --q smith --status active\n" +
			"  usher user list --filter 'locked eq true and family_name sw \"Sm\"' --json",
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&q.Filter, "filter", "", "a filter over the members of a user, as in user_name sw \"an\"")
	cmd.Flags().StringVar(&q.Search, "q", "", "words that must all occur in names or address")
	cmd.Flags().StringSliceVar(&q.Status, "status", nil, "staged, active, inactive or deleted, separated by commas")
	cmd.Flags().Int64Var(&q.Company, "company", 0, "number of a company: its users and those of all below it")
	cmd.Flags().StringVar(&q.Sort, "sort", "", "member to sort by, as in user_name, or -user_name for falling order")
	l.addFlags(cmd)
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		if q.Limit = 200; l.most > 0 {
			q.Limit = min(q.Limit, l.most)
		}
		return printList(p.stdout, l, r.Users.All(ctx, q), "NUMBER\tUSER NAME\tNAME\tE-MAIL\tSTATUS\tRANK\tCOMPANY", func(u *client.User) []string {
			return cells(u.Number, u.UserName, fullName(u), u.Email, standing(u), u.Rank, u.Company)
		})
	})
}

// fullName is how a table names a person.
func fullName(u *client.User) string {
	switch {
	case u.DisplayName != "":
		return u.DisplayName
	case u.GivenName == "" || u.FamilyName == "":
		return u.GivenName + u.FamilyName
	}
	return u.GivenName + " " + u.FamilyName
}

// standing is a user's status, and whether it is locked.
func standing(u *client.User) string {
	if u.Locked {
		return u.Status + ", locked"
	}
	return u.Status
}

func (p *program) userShowCommand() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use:   "show WHO",
		Short: "Print a user as JSON, from a running server",
		Long: "Print a user as JSON, with its company, locations, groups and roles. WHO is a user name, an e-mail address or an id.\n" +
			"With --at the user as it was at a moment, also one that was deleted since, by its id.",
		Example: "  usher user show ana@example.com\n" +
			"  usher user show ana@example.com --at 2026-02-25",
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&at, "at", "", "as of this moment: a time (RFC 3339), a date, or so long ago, as in 24h")
	return p.ask(cmd, func(ctx context.Context, r *remote, args []string) error {
		if at != "" {
			return p.showPast(ctx, r, args[0], at)
		}
		u, err := r.user(ctx, args[0], client.Expand("company", "locations", "groups", "roles"))
		if err != nil {
			return err
		}
		return p.printJSON(u)
	})
}

// showPast prints a user as it was.
func (p *program) showPast(ctx context.Context, r *remote, who, text string) error {
	at, err := moment("at", text, time.Now())
	if err != nil {
		return err
	}
	id, err := r.userID(ctx, who)
	if err != nil {
		return err
	}
	u, err := r.Users.At(ctx, id, at)
	if err != nil {
		return err
	}
	return p.printJSON(u)
}

func (p *program) userCreateCommand() *cobra.Command {
	var in client.NewUser
	var withPassword bool
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a user, on a running server",
		Long: "Make a user, who is active unless --status says otherwise. With --password the password is read from standard\n" +
			"input, as by `usher user password`; without one nobody can sign in.",
		Example: "  usher user create --user-name ana --email ana@example.com --given-name Ana --family-name Ruiz",
		Args:    cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.StringVar(&in.UserName, "user-name", "", "what the user signs in with (required)")
	flags.StringVar(&in.Email, "email", "", "e-mail address")
	flags.StringVar(&in.GivenName, "given-name", "", "given name")
	flags.StringVar(&in.FamilyName, "family-name", "", "family name")
	flags.StringVar(&in.DisplayName, "display-name", "", "name to show")
	flags.StringVar(&in.Title, "title", "", "job title")
	flags.StringVar(&in.EmployeeNumber, "employee-number", "", "employee number")
	flags.StringVar(&in.LicenceType, "licence-type", "", "licence type, of which an active user holds a seat")
	flags.Int64Var(&in.Company, "company", 0, "number of the company; the tenant's default company when left out")
	flags.StringVar(&in.Status, "status", "", "staged, active or inactive; active when left out")
	flags.BoolVar(&withPassword, "password", false, "read a password from standard input")
	flags.BoolVar(&in.Temporary, "temporary", false, "the user must replace the password before anything else")
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		if withPassword {
			password, err := p.readPassword(ctx)
			if err != nil {
				return err
			}
			in.Password = client.Secret(password)
		}
		u, err := r.Users.Create(ctx, in, r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "made user %d %s with id %s\n", u.Number, u.UserName, u.ID)
		return err
	})
}

// userFlag adds the flag of a command about one user of a server.
func userFlag(cmd *cobra.Command, user *string) {
	cmd.Flags().StringVar(user, "user", "", "user name, e-mail address or id of the user (required)")
}

func (p *program) userLockCommand() *cobra.Command {
	var user string
	var reason int64
	cmd := &cobra.Command{
		Use:     "lock",
		Short:   "Lock a user out, on a running server; `usher user unlock` lets in again",
		Example: "  usher user lock --user ana@example.com --reason 'lost phone'",
		Args:    cobra.NoArgs,
	}
	userFlag(cmd, &user)
	cmd.Flags().Int64Var(&reason, "lock-reason", 0, "number of a lock reason, whose text the user is shown")
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		u, err := r.user(ctx, user)
		if err != nil {
			return err
		}
		if u, err = r.Users.Lock(ctx, u.ID, reason, r.because); err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "locked %s\n", u.UserName)
		return err
	})
}

func (p *program) userDeleteCommand() *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "delete",
		Short: "Put a user into the recycle bin, on a running server",
		Long:  "Put a user into the recycle bin, which frees its name, addresses and keys. `usher user restore` takes it out again.",
		Args:  cobra.NoArgs,
	}
	userFlag(cmd, &user)
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		u, err := r.user(ctx, user)
		if err != nil {
			return err
		}
		if err := r.Users.Delete(ctx, u.ID, r.because); err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "deleted %s with id %s\n", u.UserName, u.ID)
		return err
	})
}

func (p *program) userRestoreCommand() *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Take a user out of the recycle bin, on a running server",
		Long: "Take a user out of the recycle bin. It becomes inactive, unless somebody else has its name, address or a key now.\n" +
			"--user is the id, or the user name or address that the user had.",
		Args: cobra.NoArgs,
	}
	userFlag(cmd, &user)
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		u, err := r.removed(ctx, user)
		if err != nil {
			return err
		}
		if u, err = r.Users.Restore(ctx, u.ID, r.because); err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%s is %s now\n", u.UserName, u.Status)
		return err
	})
}
