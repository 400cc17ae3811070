package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
)

func (p *program) doctorCommand() *cobra.Command {
	var asJSON, deep bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look at everything that can be wrong with an installation, and say what to do",
		Long: "Look at settings, keys, files, certificate, disk, mail server, database, clock, counters, history, tenants, licence\n" +
			"pools, jobs and webhooks, beside a running server too, and say of each what was seen and, where something is to be\n" +
			"done, what. Give it the settings of the server: the same file, variables and flags. It changes nothing, sends no\n" +
			"message and prints no secret. Exits with 1 when something is a FAIL; a WARN is not.\n\n" +
			"With --deep it also reads the whole database and compares everything that it says twice: seats, handles, totals,\n" +
			"lists, search, events and their index, counters, and what refers to what. That takes seconds for every 100,000 users.",
		Example: "  usher doctor --config usher.yaml\n" +
			"  usher doctor --deep\n" +
			"  usher doctor --json | jq '.checks[] | select(.level != \"ok\")'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var findings []app.Finding
			loaded, err := p.load(cmd)
			if err != nil {
				findings = app.Unreadable(err)
			} else if findings, err = app.Examine(cmd.Context(), &loaded, app.DoctorOptions{Logger: p.logger(), Now: time.Now, Deep: deep}); err != nil {
				return err
			}
			return p.printFindings(findings, asJSON)
		},
	}
	cmd.Flags().BoolVar(&deep, "deep", false, "compare everything that the database says twice, reading all of it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object with all checks")
	config.AddFlags(cmd.Flags())
	return p.operatorOnly(cmd)
}

// printFindings prints what was found; a FAIL is an error.
func (p *program) printFindings(findings []app.Finding, asJSON bool) error {
	counts := map[app.Level]int{}
	for _, f := range findings {
		counts[f.Level]++
	}
	if asJSON {
		if err := p.printJSON(map[string]any{"checks": findings, "ok": counts[app.LevelOK], "warn": counts[app.LevelWarn], "fail": counts[app.LevelFail]}); err != nil {
			return err
		}
	}
	words := map[app.Level]string{app.LevelOK: "OK", app.LevelWarn: "WARN", app.LevelFail: "FAIL"}
	for _, f := range findings {
		if asJSON {
			break
		}
		fmt.Fprintf(p.stdout, "%-4s  %-18s %s\n", words[f.Level], f.Check, tableCell(f.Seen))
		if f.Remedy != "" {
			fmt.Fprintf(p.stdout, "%24s → %s\n", "", tableCell(f.Remedy))
		}
	}
	if n := counts[app.LevelFail]; n > 0 {
		return errors.New(plural(n, "check has failed", "checks have failed"))
	}
	return nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
