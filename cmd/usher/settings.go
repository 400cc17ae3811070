package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
)

// databaseSettings are the settings of a command that opens a database.
var databaseSettings = []string{"config", "database", "pg_exec_mode", "secret_key_file"}

// load reads the settings from the flags of a command and everything below.
func (p *program) load(cmd *cobra.Command) (config.Loaded, error) {
	return config.Load(p.settingsEnviron(), cmd.Flags())
}

// logger is the log of a command that is not a server: warnings and errors for
// a person.
func (p *program) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// withAdmin opens the database of the settings for one command.
func (p *program) withAdmin(cmd *cobra.Command, fn func(ctx context.Context, a *app.Admin) error) error {
	loaded, err := p.load(cmd)
	if err != nil {
		return err
	}
	admin, err := app.OpenAdmin(cmd.Context(), &loaded.Config, p.logger(), cmd.CommandPath())
	if err != nil {
		return err
	}
	return errors.Join(fn(cmd.Context(), admin), admin.Close())
}

// withTenant is withAdmin for a command about one tenant.
func (p *program) withTenant(cmd *cobra.Command, at *target, fn near) error {
	return p.withAdmin(cmd, func(ctx context.Context, a *app.Admin) error {
		t, err := a.Tenant(ctx, at.tenant)
		if err != nil {
			return err
		}
		return fn(ctx, t)
	})
}

// withTenantNamed is withTenant for a command whose argument names the tenant.
func (p *program) withTenantNamed(cmd *cobra.Command, at *target, fn near) error {
	return p.withAdmin(cmd, func(ctx context.Context, a *app.Admin) error {
		t, err := a.TenantNamed(ctx, at.tenant)
		if err != nil {
			return err
		}
		return fn(ctx, t)
	})
}
