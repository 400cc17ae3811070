package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
)

// target is where a command works: on a tenant of the database, or on a running
// server, whose key says which tenant it is.
type target struct{ tenant, server, keyFile, reason string }

// The variables of commands that ask a server. They are no settings.
const (
	serverVariable = "USHER_SERVER"
	keyVariable    = "USHER_KEY"
)

// serverFlag is the flag that names a server.
const serverFlag = "server"

// addFlags adds the flags of a command that works on the database or on a server.
func (t *target) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.tenant, "tenant", "", "name of the tenant; may be left out while there is only one, and with --server")
	t.addServerFlags(cmd)
	config.AddFlags(cmd.Flags(), databaseSettings...)
}

// addNamedFlags is addFlags for a command whose argument names the tenant.
func (t *target) addNamedFlags(cmd *cobra.Command) {
	t.addServerFlags(cmd)
	config.AddFlags(cmd.Flags(), databaseSettings...)
}

// addServerFlags adds the flags of a command that asks a server.
func (t *target) addServerFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.server, serverFlag, "", "address of a running server to ask instead of opening the database, as in https://users.example.com; also "+serverVariable)
	cmd.Flags().StringVar(&t.keyFile, "key-file", "", "file with the API key for --server; else "+keyVariable+" has it")
	if cmd.Flags().Lookup("reason") == nil { // what lists events looks for it
		cmd.Flags().StringVar(&t.reason, "reason", "", "why, for the history; with --server")
	}
}

// variable is a variable of the environment.
func (p *program) variable(name string) string {
	value := ""
	for _, v := range p.environ {
		if text, ok := strings.CutPrefix(v, name+"="); ok {
			value = text
		}
	}
	return value
}

// settingsEnviron is the environment without what is no setting.
func (p *program) settingsEnviron() []string {
	var settings []string
	for _, v := range p.environ {
		if name, _, _ := strings.Cut(v, "="); name != serverVariable && name != keyVariable {
			settings = append(settings, v)
		}
	}
	return settings
}

// address is the server that a command is to ask, "" for the database: the flag
// says, else --database, else the variable.
func (p *program) address(cmd *cobra.Command, t *target) (string, error) {
	database := cmd.Flags().Lookup("database")
	onDatabase := database != nil && database.Changed
	switch {
	case t.server != "" && onDatabase:
		return "", errors.New("--server and --database: name one of them")
	case t.server != "":
		return t.server, nil
	case onDatabase:
		return "", nil
	}
	return p.variable(serverVariable), nil
}

// connect makes the client for a command.
func (p *program) connect(address string, t *target) (*client.Client, error) {
	key := p.variable(keyVariable)
	if t.keyFile != "" {
		text, err := os.ReadFile(t.keyFile)
		if err != nil {
			return nil, fmt.Errorf("--key-file: %w", err)
		}
		key = strings.TrimSpace(string(text))
	}
	if key == "" {
		return nil, fmt.Errorf("no key for the server: set %s, or name a file with --key-file; a key is never an argument, since others see a process's arguments", keyVariable)
	}
	if u, err := url.Parse(address); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		p.note("the key goes to " + u.Host + " unencrypted; use https")
	}
	return client.New(address, key, client.WithUserAgent("usher-cli/"+app.Version()))
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// operatorOnly makes a command refuse to be asked of a server: it has the flag only
// to say why.
func (p *program) operatorOnly(cmd *cobra.Command) *cobra.Command {
	var server string
	cmd.Flags().StringVar(&server, serverFlag, "", "")
	_ = cmd.Flags().MarkHidden(serverFlag) // the flag was just added
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		address, err := p.address(cmd, &target{server: server})
		if err != nil {
			return err
		}
		if address != "" {
			return fmt.Errorf("%s is the operator's: it works on the database and asks no server; run it where the database is, without --server and %s",
				cmd.CommandPath(), serverVariable)
		}
		return run(cmd, args)
	}
	return cmd
}
