package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/config"
)

func (p *program) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the directory until interrupted",
		Long: "Serve the directory until interrupted, then finish what is in flight within --shutdown-timeout.\n\n" +
			"With --demo and no database the sample directory lives in a temporary file that is removed at the end.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cmd) },
	}
	config.AddFlags(cmd.Flags())
	return cmd
}

// garbagePercent is how much a server's heap may grow before it is collected,
// in percent of what is live. That is a few megabytes, which the runtime's 100
// would have collected many times a second: an eighth of a change's processor
// time (docs/decisions/0013-garbage-collection.md).
const garbagePercent = 400

// relaxCollector sets garbagePercent, unless the operator says otherwise.
func relaxCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}

func (p *program) serve(cmd *cobra.Command) (err error) {
	relaxCollector()
	loaded, err := p.load(cmd)
	if err != nil {
		return err
	}
	if loaded.Demo && loaded.Origins["database"] == config.OriginDefault {
		dir, tempErr := os.MkdirTemp("", "usher-demo-")
		if tempErr != nil {
			return fmt.Errorf("demo: cannot make a temporary database: %w", tempErr)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		loaded.Database = "sqlite:" + filepath.Join(dir, "usher.db")
	}
	a, err := app.New(cmd.Context(), loaded.Config, p.stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := a.Listen(cmd.Context()); err != nil {
		return err
	}
	if loaded.Demo {
		if err := a.PrintDemo(p.stdout); err != nil {
			return fmt.Errorf("demo: cannot print the credentials: %w", err)
		}
	}
	// What the start needed and nothing needs now goes back to the system. The heap
	// would keep it until it is five times what is live (garbagePercent).
	go debug.FreeOSMemory()
	return a.Run(cmd.Context())
}
