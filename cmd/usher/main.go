// Command usher is a self-hosted user directory that answers in the
// user-management APIs that other software already speaks. Each subcommand has
// a file of its own; package config has the settings and package app the work.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run()) }

// run is the program: it answers with the exit status.
func run() int {
	// The first signal asks for an orderly stop; after it the signals act as
	// usual again, so that a second one ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ()}
	if err := p.command().ExecuteContext(ctx); err != nil {
		printError(os.Stderr, err)
		return exitStatus(err)
	}
	return exitDone
}

// program is what the commands share.
type program struct {
	stdin          *os.File
	stdout, stderr io.Writer
	environ        []string
}

func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "usher",
		Short: "A self-hosted user directory that speaks its clients' APIs",
		Long: "usher is a self-hosted user directory. Start `usher serve --demo` and paste the commands that it prints.\n\n" +
			"Every flag that is a setting can also be a variable (--read-timeout is USHER_READ_TIMEOUT) or stand in\n" +
			"the YAML file that --config names (read_timeout).\n\n" +
			"Commands about a tenant work on the database, or on a running server that --server, --profile, " + serverVariable + " or\n" +
			profileVariable + " names.\n\nExit statuses:\n" + exitHelp(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          showHelp,
	}
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return withExit(exitUsage, err) })
	root.AddCommand(p.serveCommand(), p.migrateCommand(), p.configCommand(), p.keyCommand(), p.clientCommand(),
		p.tenantCommand(), p.roleCommand(), p.userCommand(), p.eventCommand(), p.auditCommand(), p.webhookCommand(), p.jobCommand(), p.importCommand(), p.exportCommand(), p.versionCommand())
	root.AddCommand(p.groupCommand(), p.companyCommand(), p.locationCommand(), p.licenceCommand(), p.lockReasonCommand(), p.holdCommand(),
		p.profileCommand(), p.backupCommand(), p.restoreCommand(), p.doctorCommand(), p.benchCommand(), p.manCommand())
	root.AddCommand(p.pullCommand(), p.diffCommand())
	refuseUsage(root)
	p.addCompletions(root)
	return root
}

// refuseUsage gives what is wrong with the arguments of a command its exit status.
func refuseUsage(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error { return withExit(exitUsage, check(cmd, args)) }
	}
	for _, sub := range cmd.Commands() {
		refuseUsage(sub)
	}
}

// showHelp is what a command that only has subcommands does; a misspelt one is
// refused by cobra.NoArgs before.
func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// printError prints an error, each line of a joined one by itself.
func printError(w io.Writer, err error) {
	for _, line := range strings.Split(err.Error(), "\n") {
		fmt.Fprintln(w, "usher: "+line)
	}
}
