package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
)

func (p *program) userCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "Let a person in or out: state, password, lock, roles, ownership, holds",
		Args:  cobra.NoArgs,
		RunE:  showHelp,
	}
	cmd.AddCommand(p.userRoleCommand(), p.userUnlockCommand(), p.userPasswordCommand(), p.userOwnerCommand(),
		p.userStateCommand("activate", "Make a user active, which takes a licence seat", (*app.TenantAdmin).Activate, (*client.UserService).Activate),
		p.userStateCommand("deactivate", "Make a user inactive, which frees the seat and ends all sessions", (*app.TenantAdmin).Deactivate, (*client.UserService).Deactivate),
		p.userHoldCommand(), p.userListCommand(), p.userShowCommand(), p.userCreateCommand(), p.userLockCommand(), p.userDeleteCommand(),
		p.userRestoreCommand(), p.userEditCommand(), p.userPurgeCommand(), p.userSessionsCommand(), p.userGroupsCommand(), p.userRolesCommand(),
		p.userLocationsCommand(), p.userHistoryCommand(),
		p.userTellCommand("mail-reset", "Mail a user a link to set a new password, from a running server", "a link to set a new password is on its way to %s", (*client.UserService).MailReset),
		p.userTellCommand("mail-password", "Mail a user a temporary password that nobody else sees, from a running server", "a temporary password is on its way to %s", (*client.UserService).GeneratePassword),
		p.userTellCommand("sign-out", "End every session, token and reset link of a user, on a running server", "signed %s out everywhere", (*client.UserService).SignOut))
	return cmd
}

// addUserFlags adds the flags of a command about one user.
func addUserFlags(cmd *cobra.Command, at *target, user *string) {
	cmd.Flags().StringVar(user, "user", "", "user name or e-mail address of the user (required); with --server also the id")
	at.addFlags(cmd)
}

func (p *program) userRoleCommand() *cobra.Command {
	var at target
	var user, role string
	var company int64
	var remove bool
	cmd := &cobra.Command{
		Use:   "role",
		Short: "Give a user a role, or take it away with --remove",
		Long: "Give a user a role, or take it away with --remove. The role's rank holds for the whole tenant; its data is for\n" +
			"one company. Taking a role away takes it for every company.",
		Example: "  usher role create --name Administrators --rank administrator\n" +
			"  usher user role --user ana@example.com --role administrators",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.on(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				change := a.AssignRole
				if remove {
					change = a.RemoveRole
				}
				done, err := change(ctx, user, role, company)
				if err != nil {
					return err
				}
				return p.changedRole(roleChange{done.User.UserName, done.User.Rank.String(), done.Role.Key, done.Company, done.Changed}, remove)
			}, func(ctx context.Context, r *remote) error {
				done, err := r.changeRole(ctx, user, role, company, remove)
				if err != nil {
					return err
				}
				return p.changedRole(done, remove)
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", "", "key of the role, or its number (required)")
	cmd.Flags().Int64Var(&company, "company", 0, "number of the company that the role is for; the user's own when left out")
	cmd.Flags().BoolVar(&remove, "remove", false, "take the role away")
	addUserFlags(cmd, &at, &user)
	return cmd
}

// roleChange is what became of a role of a user.
type roleChange struct {
	user, rank, role string
	company          int64
	changed          bool // false: the user had the role for the company
}

func (p *program) changedRole(done roleChange, removed bool) error {
	verb := "has now"
	switch {
	case removed:
		_, err := fmt.Fprintf(p.stdout, "took role %s from %s, whose rank is now %s\n", done.role, done.user, done.rank)
		return err
	case !done.changed:
		verb = "had already"
	}
	_, err := fmt.Fprintf(p.stdout, "%s %s role %s for company %d and rank %s\n", done.user, verb, done.role, done.company, done.rank)
	return err
}

// userStateCommand makes the command of one verb of a user's life.
func (p *program) userStateCommand(verb, short string, run func(a *app.TenantAdmin, ctx context.Context, user string) (app.StateChange, error),
	ask func(s *client.UserService, ctx context.Context, id string, options ...client.CallOption) (*client.User, error)) *cobra.Command {
	var at target
	var user string
	cmd := &cobra.Command{
		Use:   verb,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.on(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				done, err := run(a, ctx, user)
				if err != nil {
					return err
				}
				return p.moved(done.User.UserName, string(done.User.State), done.Changed)
			}, func(ctx context.Context, r *remote) error {
				before, err := r.user(ctx, user)
				if err != nil {
					return err
				}
				u, err := ask(r.Users, ctx, before.ID, r.because)
				if err != nil {
					return err
				}
				return p.moved(u.UserName, u.Status, u.Version != before.Version)
			})
		},
	}
	addUserFlags(cmd, &at, &user)
	return cmd
}

func (p *program) moved(user, state string, changed bool) error {
	text := "%s is %s now\n"
	if !changed {
		text = "%s was %s already\n"
	}
	_, err := fmt.Fprintf(p.stdout, text, user, state)
	return err
}

func (p *program) userUnlockCommand() *cobra.Command {
	var at target
	var user string
	cmd := &cobra.Command{
		Use:   "unlock",
		Short: "Let a locked user in again",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.on(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				u, wasLocked, err := a.Unlock(ctx, user)
				if err != nil {
					return err
				}
				return p.unlocked(u.UserName, wasLocked, a.SignInHindrance(&u, time.Now()))
			}, func(ctx context.Context, r *remote) error {
				before, err := r.user(ctx, user)
				if err != nil {
					return err
				}
				u, err := r.Users.Unlock(ctx, before.ID, r.because)
				if err != nil {
					return err
				}
				return p.unlocked(u.UserName, before.Locked, hindrance(u))
			})
		},
	}
	addUserFlags(cmd, &at, &user)
	return cmd
}

func (p *program) unlocked(user string, wasLocked bool, hindrance string) error {
	text := "unlocked %s\n"
	if !wasLocked {
		text = "%s was not locked\n"
	}
	p.note(hindrance)
	_, err := fmt.Fprintf(p.stdout, text, user)
	return err
}

// hindrance says why a user cannot sign in now; "" for nothing.
func hindrance(u *client.User) string {
	return app.Hindrance(u.Status, u.Locked, u.ValidFrom, u.ExpiresAt, time.Now())
}

func (p *program) userPasswordCommand() *cobra.Command {
	var at target
	var user string
	var temporary bool
	cmd := &cobra.Command{
		Use:   "password",
		Short: "Set a user's password, read from standard input",
		Long: "Set a user's password, which ends the user's sessions. From a terminal it is asked for twice and not shown;\n" +
			"otherwise standard input is the password, with or without a line end behind it. It is never an argument,\n" +
			"since others see a process's arguments. The tenant's password policy applies.",
		Example: "  usher user password --user admin@example.com",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.on(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				u, err := a.User(ctx, user)
				if err != nil {
					return err
				}
				password, err := p.readPassword(ctx)
				if err != nil {
					return err
				}
				if u, err = a.SetPassword(ctx, u.Number, password, temporary); err != nil {
					return err
				}
				return p.newPassword(u.UserName, a.SignInHindrance(&u, time.Now()))
			}, func(ctx context.Context, r *remote) error {
				u, err := r.user(ctx, user)
				if err != nil {
					return err
				}
				password, err := p.readPassword(ctx)
				if err != nil {
					return err
				}
				if err := r.Users.SetPassword(ctx, u.ID, client.Secret(password), temporary, r.because); err != nil {
					return err
				}
				return p.newPassword(u.UserName, hindrance(u))
			})
		},
	}
	cmd.Flags().BoolVar(&temporary, "temporary", false, "the user must replace it before anything else")
	addUserFlags(cmd, &at, &user)
	return cmd
}

func (p *program) newPassword(user, hindrance string) error {
	p.note(hindrance)
	_, err := fmt.Fprintf(p.stdout, "set the password of %s\n", user)
	return err
}

func (p *program) userOwnerCommand() *cobra.Command {
	var at target
	var user string
	cmd := &cobra.Command{
		Use:   "owner",
		Short: "Make a user the account owner of the tenant",
		Long: "Make a user the account owner of the tenant, whom nobody can deactivate or delete. The user must be active; the\n" +
			"owner before stays an administrator.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenant(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				u, err := a.SetOwner(ctx, user)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(p.stdout, "%s is now the account owner of tenant %s\n", u.UserName, a.Tenant.Name)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "user name or e-mail address of the user (required)")
	cmd.Flags().StringVar(&at.tenant, "tenant", "", "name of the tenant; may be left out while there is only one")
	config.AddFlags(cmd.Flags(), databaseSettings...)
	return p.operatorOnly(cmd)
}

// note tells the person something beside the result, unless there is nothing.
func (p *program) note(text string) {
	if text != "" {
		fmt.Fprintln(p.stderr, "note: "+text)
	}
}
