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
type target struct {
	tenant, server, profile, keyFile, reason string
	// key is of the profile that the server is from; nothing else is sent there.
	key string
}

// The variables of commands that ask a server. They are no settings.
const (
	serverVariable = "USHER_SERVER"
	keyVariable    = "USHER_KEY"
)

// serverFlag is the flag that names a server, and profileFlag the one that names a
// profile.
const (
	serverFlag  = "server"
	profileFlag = "profile"
)

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
	cmd.Flags().StringVar(&t.profile, profileFlag, "", "profile with the server and its key (see usher profile); also "+profileVariable)
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
		if name, _, _ := strings.Cut(v, "="); name != serverVariable && name != keyVariable && name != profileVariable && !strings.HasPrefix(name, "USHER_PULL_") {
			settings = append(settings, v)
		}
	}
	return settings
}

// address is the server that a command is to ask, "" for the database. Flags come
// first, then variables, and last the profile that is in use, unless a variable names
// a database.
func (p *program) address(cmd *cobra.Command, t *target) (string, error) {
	database := cmd.Flags().Lookup("database")
	onDatabase := database != nil && database.Changed
	switch {
	case t.server != "" && onDatabase:
		return "", errors.New("--server and --database: name one of them")
	case t.profile != "" && onDatabase:
		return "", errors.New("--profile and --database: name one of them")
	case t.server != "" && t.profile != "":
		return "", errors.New("--server and --profile: name one of them")
	case t.server != "":
		return t.server, nil
	case onDatabase:
		return "", nil
	case t.profile != "":
		return p.fromProfile(t, t.profile)
	case p.variable(serverVariable) != "":
		return p.variable(serverVariable), nil
	case p.variable(profileVariable) != "":
		return p.fromProfile(t, p.variable(profileVariable))
	case database != nil && p.variable("USHER_DATABASE") != "":
		return "", nil
	}
	list, err := p.readProfiles()
	if err != nil || list.current == "" {
		return "", err
	}
	return p.fromProfile(t, list.current)
}

// fromProfile takes the server and the key of a profile.
func (p *program) fromProfile(t *target, name string) (string, error) {
	list, err := p.readProfiles()
	if err != nil {
		return "", err
	}
	one, err := list.find(name)
	if err != nil {
		return "", err
	}
	if t.key = one.key; t.keyFile == "" {
		t.keyFile = one.keyFile
	}
	return one.server, nil
}

// connect makes the client for a command.
func (p *program) connect(address string, t *target) (*client.Client, error) {
	if t.keyFile == "" && t.key == "" {
		t.key = p.variable(keyVariable)
	}
	if t.keyFile == "" && t.key == "" {
		return nil, withExit(exitUsage, fmt.Errorf("no key for the server: set %s, name a file with --key-file, or a profile with --profile; a key is never an argument, since others see a process's arguments", keyVariable))
	}
	if u, err := url.Parse(address); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		p.note("the key goes to " + u.Host + " unencrypted; use https")
	}
	return p.clientOf(address, t)
}

// clientOf makes the client of a server with the key of a target.
func (p *program) clientOf(address string, t *target) (*client.Client, error) {
	key := t.key
	if t.keyFile != "" {
		text, err := os.ReadFile(t.keyFile)
		if err != nil {
			return nil, fmt.Errorf("--key-file: %w", err)
		}
		key = strings.TrimSpace(string(text))
	}
	return client.New(address, key, client.WithUserAgent("usher-cli/"+app.Version()))
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// operatorOnly makes a command refuse to be asked of a server: it has the flags only
// to say why. A profile that is merely in use is left aside.
func (p *program) operatorOnly(cmd *cobra.Command) *cobra.Command {
	var server, profile string
	for name, value := range map[string]*string{serverFlag: &server, profileFlag: &profile} {
		cmd.Flags().StringVar(value, name, "", "")
		_ = cmd.Flags().MarkHidden(name) // the flag was just added
	}
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		database := cmd.Flags().Lookup("database")
		onDatabase := database != nil && database.Changed
		if server != "" && onDatabase {
			return errors.New("--server and --database: name one of them")
		}
		if server != "" || profile != "" || !onDatabase && (p.variable(serverVariable) != "" || p.variable(profileVariable) != "") {
			return withExit(exitUsage, fmt.Errorf("%s is the operator's: it works on the database and asks no server; run it where the database is, without --server, --profile, %s and %s",
				cmd.CommandPath(), serverVariable, profileVariable))
		}
		return run(cmd, args)
	}
	return cmd
}
