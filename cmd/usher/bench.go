package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/internal/app"
	"github.com/usher-id/usher/internal/load"
)

// benchFlags are what the command is told.
type benchFlags struct {
	users, connections, rounds, processes int
	dir, database, url, keyFile           string
	scenarios, doors                      []string
	rate                                  float64
	duration                              time.Duration
	writes, insecure, asJSON              bool
}

func (p *program) benchCommand() *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure this program, or a server that runs, under load",
		Long: "Measure how fast this program is on this machine: seed a directory of --users realistic users below --dir, where a second\n" +
			"run finds it, start servers on a copy of it, put load on them, and print the results beside those of a bare net/http\n" +
			"handler that writes a constant user, measured in alternate slices: the machine's speed drops out of the ratios.\n\n" +
			"Without --rate each connection sends its next request when it has its answer (a closed loop). With it requests are due\n" +
			"at that rate whatever the server does, and times count from the moment when they were due.\n\n" +
			"With --database the directory is on PostgreSQL, in a database that is empty or that this command has filled before.\n" +
			"With --url the load goes to a server that runs already, with the key in USHER_KEY or in the file of --key-file; only\n" +
			"scenarios that read, unless --writes. Scenarios that change users make users of their own there, one for each\n" +
			"connection, and delete them in the end; their ids are in a file below --dir until then. Those that create users leave them.\n\n" +
			"Scenarios, and the doors that have them:\n" + scenarioTable(),
		Example: "  usher bench\n" +
			"  usher bench --users 1000000 --scenario read,list,search --door canonical,scim\n" +
			"  usher bench --scenario mixed --rate 2000 --duration 20s --rounds 1\n" +
			"  usher bench --database postgres://usher@db/bench --processes 3 --scenario read,state\n" +
			"  usher bench --url https://users.example.com --key-file bench.key --rate 500",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.bench(cmd.Context(), &f) },
	}
	flags := cmd.Flags()
	flags.IntVar(&f.users, "users", 100_000, "how many users the directory has")
	flags.StringVar(&f.dir, "dir", "", "folder where seeded directories are kept; empty is usher-bench below the user's cache folder")
	flags.StringVar(&f.database, "database", "", "PostgreSQL database to fill, as postgres://user@host/name; empty is SQLite below --dir")
	flags.IntVar(&f.processes, "processes", 1, "usher processes on the PostgreSQL database; connections go round robin")
	flags.StringSliceVar(&f.scenarios, "scenario", []string{"read", "list", "search", "state", "create"}, "scenarios, separated by commas, or all")
	flags.StringSliceVar(&f.doors, "door", []string{"iqmetrix"}, "doors, separated by commas, or all that have the scenario")
	flags.IntVar(&f.connections, "connections", 0, "connections at once; 0 is the scenario's own number")
	flags.Float64Var(&f.rate, "rate", 0, "requests a second that are due (open loop); 0 is a closed loop")
	flags.DurationVar(&f.duration, "duration", 2*time.Second, "how long each slice of a round is")
	flags.IntVar(&f.rounds, "rounds", 3, "rounds; the median counts")
	flags.StringVar(&f.url, "url", "", "server that runs already, as https://users.example.com")
	flags.BoolVar(&f.insecure, "insecure", false, "with --url: take any certificate")
	flags.BoolVar(&f.writes, "writes", false, "with --url: allow scenarios that change users")
	flags.BoolVar(&f.asJSON, "json", false, "print one JSON object")
	flags.StringVar(&f.keyFile, "key-file", "", "file with the API key for --url; else "+keyVariable+" has it")
	cmd.AddCommand(p.bareCommand())
	return cmd
}

// bareCommand serves what everything is compared with.
func (p *program) bareCommand() *cobra.Command {
	var addr string
	cmd := &cobra.Command{
		Use:    "bare",
		Short:  "Serve a constant user",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return load.ServeBare(cmd.Context(), addr)
		},
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:8081", "address to serve on, as host:port")
	return cmd
}

func scenarioTable() string {
	var b strings.Builder
	for _, s := range load.Scenarios() {
		doors := strings.Join(s.Doors, ", ")
		if len(s.Doors) == len(load.Doors()) {
			doors = "all doors"
		}
		fmt.Fprintf(&b, "  %-18s  %s (%s)\n", s.Name, s.About, doors)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// pair is a scenario through a door.
type pair struct{ scenario, door string }

// pairs are the scenarios and doors that were asked for.
func (f *benchFlags) pairs() (list []pair, err error) {
	scenarios, anyDoor := f.scenarios, slices.Equal(f.doors, []string{"all"})
	anyScenario := slices.Equal(scenarios, []string{"all"})
	if anyScenario {
		scenarios = load.ScenarioNames()
	}
	doors := f.doors
	if anyDoor {
		doors = load.Doors()
	}
	for _, scenario := range scenarios {
		for _, door := range doors {
			_, err := load.FindScenario(scenario, door)
			switch {
			case err == nil:
				list = append(list, pair{scenario, door})
			case !anyDoor && !anyScenario, !slices.Contains(load.ScenarioNames(), scenario), !slices.Contains(load.Doors(), door):
				return nil, withExit(exitUsage, fmt.Errorf("--scenario, --door: %w", err))
			}
		}
	}
	if len(list) == 0 {
		return nil, withExit(exitUsage, errors.New("--scenario, --door: none of these doors has any of these scenarios"))
	}
	return list, nil
}

// check refuses what cannot be.
func (f *benchFlags) check() error {
	for _, c := range []struct {
		wrong bool
		text  string
	}{
		{f.users < 1 || f.users > 100_000_000, "--users: must be 1 to 100,000,000"},
		{f.connections < 0 || f.connections > 100_000, "--connections: must be 0 to 100,000"},
		{f.rate < 0, "--rate: must not be negative"},
		{f.rounds < 1, "--rounds: must be at least 1"},
		{f.duration < time.Millisecond, "--duration: must be at least 1ms"},
		{f.processes < 1, "--processes: must be at least 1"},
		{f.processes > 1 && f.database == "", "--processes: several processes need a PostgreSQL database (--database)"},
		{f.url != "" && f.database != "", "--url, --database: name one of them"},
	} {
		if c.wrong {
			return withExit(exitUsage, errors.New(c.text))
		}
	}
	return nil
}

func (p *program) bench(ctx context.Context, f *benchFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	pairs, err := f.pairs()
	if err != nil {
		return err
	}
	report := load.Report{Date: time.Now().UTC().Truncate(time.Second), Version: app.Version(), Machine: load.ThisMachine(), Note: load.Note}
	var list []*load.Contender
	if f.url != "" {
		list, err = p.benchRemote(ctx, f, pairs)
	} else {
		list, err = p.benchLocal(ctx, f, pairs, &report)
	}
	if err != nil {
		return err
	}
	for _, c := range list {
		report.Figures = append(report.Figures, c.Figure)
	}
	if f.asJSON {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	p.printBench(&report, list)
	return nil
}

// printBench prints what was measured for a person.
func (p *program) printBench(r *load.Report, list []*load.Contender) {
	fmt.Fprintf(p.stdout, "%s, %d cores, %s, %s\n", r.Machine.CPU, r.Machine.Cores, r.Machine.System, r.Machine.Go)
	if s := r.Servers; s != nil {
		mib := func(bytes int64) string { return fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20)) }
		fmt.Fprintf(p.stdout, "started in %.0f ms; memory at rest %s (%s its own), after the load %s (%s); program %s\n", s.Start,
			mib(s.IdleRSS), mib(s.IdleAnon), mib(s.LoadedRSS), mib(s.LoadedAnon), mib(s.BinaryBytes))
	}
	for i, c := range list {
		fmt.Fprintln(p.stdout)
		r.Figures[i].WriteText(p.stdout, c.Histogram())
	}
}

// folder is --dir or what stands for it.
func (f *benchFlags) folder() (string, error) {
	if f.dir != "" {
		return filepath.Abs(f.dir)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("--dir: there is no cache folder: %w", err)
	}
	return filepath.Join(cache, "usher-bench"), nil
}

// benchLocal seeds, starts servers and measures them.
func (p *program) benchLocal(ctx context.Context, f *benchFlags, pairs []pair, report *load.Report) (list []*load.Contender, err error) {
	dir, err := f.folder()
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	installed, err := load.Install(ctx, load.Setup{Program: program, Dir: dir, Users: f.users, Database: f.database, Processes: f.processes,
		Progress: func(text string) { fmt.Fprintln(p.stderr, "usher: bench: "+text) }})
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer installed.Close()
	bare, err := load.StartBare(ctx, program, dir)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer bare.Stop()
	report.Servers = installed.Idle()
	if info, err := os.Stat(program); err == nil {
		report.Servers.BinaryBytes = info.Size()
	}
	for _, one := range pairs {
		c, err := installed.Contender(ctx, one.scenario, one.door, f.connections, f.rate)
		if err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		list = append(list, c)
	}
	err = load.Compete(ctx, bare, list, f.times())
	report.Servers.LoadedRSS, report.Servers.LoadedAnon = installed.Memory("VmRSS"), installed.Memory("RssAnon")
	return list, err
}

func (f *benchFlags) times() load.Rounds {
	return load.Rounds{Rounds: f.rounds, Slice: f.duration, Warm: f.duration / 2}
}

// benchRemote measures a server that runs already. Whoever was made to be changed
// there is deleted in any case, also when the run is stopped.
func (p *program) benchRemote(ctx context.Context, f *benchFlags, pairs []pair) (list []*load.Contender, err error) {
	key, err := p.benchKey(f)
	if err != nil {
		return nil, err
	}
	remote, err := load.Reach(ctx, f.url, key, min(f.users, 20_000), f.insecure)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	if f.writes {
		dir, err := f.folder()
		if err != nil {
			return nil, err
		}
		remote.KeepIn(dir)
	}
	defer func() { err = errors.Join(err, remote.Close(ctx)) }()
	for _, one := range pairs {
		c, err := remote.Contender(ctx, one.scenario, one.door, f.connections, f.rate, f.writes)
		if errors.Is(err, load.ErrWrites) {
			return nil, withExit(exitUsage, err)
		}
		if err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		list = append(list, c)
	}
	return list, load.Compete(ctx, nil, list, f.times())
}

// benchKey is the key for a server that runs already.
func (p *program) benchKey(f *benchFlags) (string, error) {
	if f.keyFile != "" {
		text, err := os.ReadFile(f.keyFile)
		if err != nil {
			return "", fmt.Errorf("--key-file: %w", err)
		}
		return strings.TrimSpace(string(text)), nil
	}
	if key := p.variable(keyVariable); key != "" {
		return key, nil
	}
	return "", withExit(exitUsage, fmt.Errorf("--url: no key for the server: set %s, or name a file with --key-file", keyVariable))
}
