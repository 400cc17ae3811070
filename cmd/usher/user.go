package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
)

func (p *program) userCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "Let a person in or out: state, password, lock, roles, ownership, holds",
		Args:  cobra.NoArgs,
		RunE:  showHelp,
	}
	cmd.AddCommand(p.userRoleCommand(), p.userUnlockCommand(), p.userPasswordCommand(), p.userOwnerCommand(),
		p.userStateCommand("activate", "Make a user active, which takes a licence seat", (*app.TenantAdmin).Activate),
		p.userStateCommand("deactivate", "Make a user inactive, which frees the seat and ends all sessions", (*app.TenantAdmin).Deactivate),
		p.userHoldCommand())
	return cmd
}

// addUserFlags adds the flags of a command about one user.
func addUserFlags(cmd *cobra.Command, tenant, user *string) {
	cmd.Flags().StringVar(user, "user", "", "user name or e-mail address of the user (required)")
	addTenantFlags(cmd, tenant)
}

func (p *program) userRoleCommand() *cobra.Command {
	var tenant, user, role string
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
			return p.withTenant(cmd, tenant, func(ctx context.Context, a *app.TenantAdmin) error {
				if remove {
					done, err := a.RemoveRole(ctx, user, role, company)
					if err != nil {
						return err
					}
					_, err = fmt.Fprintf(p.stdout, "took role %s from %s, whose rank is now %s\n", done.Role.Key, done.User.UserName, done.User.Rank)
					return err
				}
				done, err := a.AssignRole(ctx, user, role, company)
				if err != nil {
					return err
				}
				verb := "has now"
				if !done.Changed {
					verb = "had already"
				}
				_, err = fmt.Fprintf(p.stdout, "%s %s role %s for company %d and rank %s\n",
					done.User.UserName, verb, done.Role.Key, done.Company, done.User.Rank)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", "", "key of the role, or its number (required)")
	cmd.Flags().Int64Var(&company, "company", 0, "number of the company that the role is for; the user's own when left out")
	cmd.Flags().BoolVar(&remove, "remove", false, "take the role away")
	addUserFlags(cmd, &tenant, &user)
	return cmd
}

// userStateCommand makes the command of one verb of a user's life.
func (p *program) userStateCommand(verb, short string, run func(a *app.TenantAdmin, ctx context.Context, user string) (app.StateChange, error)) *cobra.Command {
	var tenant, user string
	cmd := &cobra.Command{
		Use:   verb,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenant(cmd, tenant, func(ctx context.Context, a *app.TenantAdmin) error {
				done, err := run(a, ctx, user)
				if err != nil {
					return err
				}
				text := "%s is %s now\n"
				if !done.Changed {
					text = "%s was %s already\n"
				}
				_, err = fmt.Fprintf(p.stdout, text, done.User.UserName, done.User.State)
				return err
			})
		},
	}
	addUserFlags(cmd, &tenant, &user)
	return cmd
}

func (p *program) userUnlockCommand() *cobra.Command {
	var tenant, user string
	cmd := &cobra.Command{
		Use:   "unlock",
		Short: "Let a locked user in again",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenant(cmd, tenant, func(ctx context.Context, a *app.TenantAdmin) error {
				u, wasLocked, err := a.Unlock(ctx, user)
				if err != nil {
					return err
				}
				text := "unlocked %s\n"
				if !wasLocked {
					text = "%s was not locked\n"
				}
				p.note(a.SignInHindrance(&u, time.Now()))
				_, err = fmt.Fprintf(p.stdout, text, u.UserName)
				return err
			})
		},
	}
	addUserFlags(cmd, &tenant, &user)
	return cmd
}

func (p *program) userPasswordCommand() *cobra.Command {
	var tenant, user string
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
			return p.withTenant(cmd, tenant, func(ctx context.Context, a *app.TenantAdmin) error {
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
				p.note(a.SignInHindrance(&u, time.Now()))
				_, err = fmt.Fprintf(p.stdout, "set the password of %s\n", u.UserName)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&temporary, "temporary", false, "the user must replace it before anything else")
	addUserFlags(cmd, &tenant, &user)
	return cmd
}

func (p *program) userOwnerCommand() *cobra.Command {
	var tenant, user string
	cmd := &cobra.Command{
		Use:   "owner",
		Short: "Make a user the account owner of the tenant",
		Long: "Make a user the account owner of the tenant, whom nobody can deactivate or delete. The user must be active; the\n" +
			"owner before stays an administrator.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenant(cmd, tenant, func(ctx context.Context, a *app.TenantAdmin) error {
				u, err := a.SetOwner(ctx, user)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(p.stdout, "%s is now the account owner of tenant %s\n", u.UserName, a.Tenant.Name)
				return err
			})
		},
	}
	addUserFlags(cmd, &tenant, &user)
	return cmd
}

// note tells the person something beside the result, unless there is nothing.
func (p *program) note(text string) {
	if text != "" {
		fmt.Fprintln(p.stderr, "note: "+text)
	}
}
