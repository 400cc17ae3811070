package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/usher-id/usher/internal/app"
)

// sourceDateVariable is the time, in seconds since 1970, that files are made with
// which are to be the same whoever makes them (reproducible-builds.org).
const sourceDateVariable = "SOURCE_DATE_EPOCH"

func (p *program) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages of all commands into a folder",
		Long: "Write a manual page of every command into a folder, which is made when it is missing. The pages have the date of\n" +
			"the program's source, or of " + sourceDateVariable + ", so that they are the same wherever they are made.",
		Example: "  usher man /usr/local/share/man/man1 && man usher-user-create",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			date, err := p.sourceDate()
			if err != nil {
				return err
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			plainPages(root)
			header := &doc.GenManHeader{Title: "USHER", Section: "1", Source: "usher " + app.Version(), Manual: "usher", Date: &date}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return err
			}
			pages, err := os.ReadDir(args[0])
			if err != nil {
				return err
			}
			n := 0
			for _, page := range pages {
				if strings.HasPrefix(page.Name(), "usher") && strings.HasSuffix(page.Name(), ".1") {
					n++
				}
			}
			_, err = fmt.Fprintf(p.stdout, "%d pages are in %s\n", n, args[0])
			return err
		},
	}
}

// plainPages leaves out the line about the time at which a page was made.
func plainPages(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true
	for _, sub := range cmd.Commands() {
		plainPages(sub)
	}
}

// sourceDate is the date of the manual pages.
func (p *program) sourceDate() (time.Time, error) {
	if text := p.variable(sourceDateVariable); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("%s: %q is no number of seconds", sourceDateVariable, text)
		}
		return time.Unix(seconds, 0).UTC(), nil
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key != "vcs.time" {
				continue
			}
			if at, err := time.Parse(time.RFC3339, s.Value); err == nil {
				return at.UTC(), nil
			}
		}
	}
	return firstRelease, nil
}

// firstRelease is the date of a program that does not know its own.
var firstRelease = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
