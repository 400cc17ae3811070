package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
)

// importRequest is what `usher import` is asked.
type importRequest struct {
	options   client.ImportOptions
	maps      []string // Header=field
	separator string
	dryRun    bool
	rejected  string
	undo      string
	verdicts  bool
	yes       bool
	progress  string
	list      listing
}

func (p *program) importCommand() *cobra.Command {
	var at target
	var r importRequest
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Bring users in from a file: CSV, or what usher exports",
		Long: "Bring users in from a file: CSV with the names of its columns in the first line, or one JSON object a line as usher\n" +
			"exports it. - is standard input. What the columns are is guessed, shown, and said with --map. A row finds its user by\n" +
			"the members of --match; ids, numbers and password hashes are kept. Nothing is done when the file cannot be read to its\n" +
			"end. Rows that cannot be taken are written to a file, to be corrected and imported again; another file takes the\n" +
			"import back when it is imported.\n\n" +
			"When the command or the server is ended in the middle, the same command goes on where it was: no row is done twice.\n\n" +
			"The exit status is 3 when rows were rejected, and 4 when the import stopped at a threshold.",
		Example: "  usher import staff.csv --dry-run\n" +
			"  usher import staff.csv --map 'Personnel no.=employee_number' --match employee_number --deactivate-missing\n" +
			"  usher import staff.rejected.csv\n" +
			"  usher import staff.undo.ndjson",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := p.openImport(args[0], &r)
			if err != nil {
				return err
			}
			defer in.close()
			return p.on(cmd, &at, func(ctx context.Context, a *app.TenantAdmin) error {
				return in.run(ctx, &nearImports{a}, a.Tenant.Name)
			}, func(ctx context.Context, s *remote) error {
				return in.run(ctx, &farImports{s}, s.tenant.Name)
			})
		},
	}
	r.addFlags(cmd)
	at.addFlags(cmd)
	return cmd
}

func (r *importRequest) addFlags(cmd *cobra.Command) {
	o, f := &r.options, cmd.Flags()
	f.StringArrayVar(&r.maps, "map", nil, "what a column is, as in 'Login=user_name', 'Site=attributes.site' or 'Notes=' to leave it out; may be repeated")
	f.StringVar(&o.Encoding, "encoding", "", "encoding of a file without a byte order mark: utf-8, latin1 or windows-1252")
	f.StringVar(&r.separator, "separator", "", "what separates the columns: , ; | or tab; guessed when left out")
	f.BoolVar(&r.dryRun, "dry-run", false, "change nothing; say what would become of each row")
	f.StringSliceVar(&o.Match, "match", nil, "members by which a row finds its user, in this order, separated by commas")
	f.StringVar(&o.Existing, "existing", "", "what is done with rows whose users are there: update (when left out), skip or conflict")
	f.Int64Var(&o.Company, "company", 0, "number of the company of new users whose rows name none, and the subtree of --deactivate-missing")
	f.StringVar(&o.Status, "status", "", "status of new users whose rows name none: active (when left out), staged or inactive")
	f.BoolVar(&o.Notify, "notify", false, "mail new users their user name")
	f.BoolVar(&o.SharedEmail, "shared-email", false, "keep an address that another user signs in with, instead of rejecting the row")
	f.BoolVar(&o.CreateMissing, "create-missing", false, "make companies, groups and roles that rows name and that are not there")
	f.BoolVar(&o.DeactivateMissing, "deactivate-missing", false, "deactivate, after the last row, the active users that no row was about")
	f.IntVar(&o.MaxDeactivations, "max-deactivations", 0, "stop before more than so many of 100 users are deactivated; 10 when left out")
	f.IntVar(&o.MaxChanges, "max-changes", 0, "stop before more than so many of 100 users are changed; 100 when left out")
	f.StringVar(&r.rejected, "rejected", "", "new file for the rows that were not taken, or none; beside FILE when left out")
	f.StringVar(&r.undo, "undo", "", "new file that takes the import back, or none; beside FILE when left out")
	f.BoolVar(&r.verdicts, "verdicts", false, "print what became of each row")
	f.BoolVar(&r.yes, "yes", false, "do not ask before the import begins")
	f.StringVar(&r.progress, "progress", "auto", "how progress is shown: auto, plain or none")
	r.list.addFlags(cmd)
}

// importing is an import on its way.
type importing struct {
	*importRequest
	p      *program
	file   *os.File
	name   string // of the file, without its folder
	beside string // its path without the ending, for the files that come of it
	remove string // a file that is only for this command
	site   importSite
	rows   int64
}

// openImport opens the file and looks at how it begins.
func (p *program) openImport(path string, r *importRequest) (*importing, error) {
	if r.progress != "auto" && r.progress != "plain" && r.progress != "none" {
		return nil, fmt.Errorf("--progress: %q is none of auto, plain and none", r.progress)
	}
	for flag, path := range map[string]string{"--rejected": r.rejected, "--undo": r.undo} {
		if _, err := os.Stat(path); err == nil {
			return nil, fmt.Errorf("%s: %s is there already", flag, path)
		}
	}
	in := &importing{importRequest: r, p: p, name: filepath.Base(path), beside: strings.TrimSuffix(path, filepath.Ext(path))}
	var err error
	if path == "-" {
		in.name, in.beside = "stdin", "import"
		in.file, err = keepInput(p.stdin)
		if in.file != nil {
			in.remove = in.file.Name()
		}
	} else {
		in.file, err = os.Open(path)
	}
	if err != nil {
		in.close()
		return nil, err
	}
	if err := in.look(); err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// keepInput copies standard input into a file, since it is read more than once.
func keepInput(from io.Reader) (*os.File, error) {
	f, err := os.CreateTemp("", "usher-import-*")
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(f, from); err != nil {
		return f, fmt.Errorf("standard input: %w", err)
	}
	return f, nil
}

func (in *importing) close() {
	if in.file != nil {
		_ = in.file.Close() // it was only read
	}
	if in.remove != "" {
		_ = os.Remove(in.remove) // of the folder for such files
	}
}

// look finds out the format.
func (in *importing) look() error {
	head := make([]byte, 64<<10)
	n, err := in.file.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	o := &in.options
	o.Format = app.ImportFormat(head[:n])
	o.Comma = in.separator
	if in.separator == "tab" || in.separator == `\t` {
		o.Comma = "\t"
	}
	if o.Format != client.FormatCSV && (len(in.maps) > 0 || o.Comma != "") {
		return errors.New("--map and --separator are for CSV, and this file has JSON objects")
	}
	return nil
}

// run does the import at a place.
func (in *importing) run(ctx context.Context, site importSite, tenant string) error {
	in.site = site
	if in.options.Format == client.FormatCSV {
		if err := in.mapColumns(ctx); err != nil {
			return err
		}
	}
	name, err := in.check()
	if err != nil {
		return err
	}
	run, err := in.findOrCreate(ctx, name, tenant)
	if err != nil || run == nil {
		return err
	}
	if run, err = in.bringAbout(ctx, run); err != nil {
		return err
	}
	return in.outcome(ctx, run)
}

// check reads the file once, so that one that cannot be read changes nothing, and makes
// the name by which the same command finds its import again: of what is in the file,
// and of what is done with it. Thresholds are not part of it: higher ones let an import
// go on that stopped.
func (in *importing) check() (name string, err error) {
	if _, err := in.file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	o := in.options
	o.MaxChanges, o.MaxDeactivations = 0, 0
	options, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %t\n", options, in.dryRun)
	if in.rows, err = app.CheckImport(io.TeeReader(in.file, sum), options); err != nil {
		return "", fmt.Errorf("%s cannot be read, and nothing was done. %w", in.name, err)
	}
	if in.rows == 0 {
		return "", fmt.Errorf("%s has no rows", in.name)
	}
	short := []rune(in.name)
	return string(short[:min(len(short), 150)]) + " #" + hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// findOrCreate finds the import that an earlier run of the same command has begun, or
// makes one, after asking. It is nil when the person does not want it.
func (in *importing) findOrCreate(ctx context.Context, name, tenant string) (*client.Import, error) {
	open, err := in.site.open(ctx)
	if err != nil {
		return nil, err
	}
	for i := range open {
		if open[i].Name == name {
			in.p.note(fmt.Sprintf("going on with the import of %s that began %s", in.name, open[i].CreatedAt.Local().Format("2006-01-02 15:04")))
			return &open[i], nil
		}
	}
	if in.asks() {
		question := fmt.Sprintf("Import %d rows of %s into the tenant %s?", in.rows, in.name, tenant)
		if yes, err := in.p.confirm(ctx, question); err != nil || !yes {
			return nil, err
		}
	}
	return in.site.create(ctx, client.NewImport{Name: name, DryRun: in.dryRun, ImportOptions: in.options})
}

// asks reports whether the person is asked before anything happens.
func (in *importing) asks() bool {
	return !in.yes && !in.dryRun && in.remove == "" && onTerminal(in.p.stderr) && in.p.stdin != nil && onTerminal(in.p.stdin)
}

// bringAbout sends the file, starts the import and waits for its end.
func (in *importing) bringAbout(ctx context.Context, run *client.Import) (*client.Import, error) {
	var err error
	if run.State == client.BulkOpen {
		if run, err = in.send(ctx, run); err != nil {
			return run, err
		}
	}
	higher := client.Thresholds{MaxChanges: in.options.MaxChanges, MaxDeactivations: in.options.MaxDeactivations}
	stopped := run.State == client.BulkStopped && (higher.MaxChanges > run.Options.MaxChanges || higher.MaxDeactivations > run.Options.MaxDeactivations)
	if run.State == client.BulkOpen || stopped {
		if run, err = in.site.start(ctx, run.ID, higher); err != nil {
			return run, err
		}
	}
	title := "importing " + in.name
	if in.dryRun {
		title = "checking " + in.name
	}
	g := in.shown(title, run.Done, in.rows)
	defer g.end()
	run, err = in.site.wait(ctx, run.ID, func(i *client.Import) { g.set(min(i.Done, in.rows), in.rows) })
	if ctx.Err() != nil {
		return run, fmt.Errorf("interrupted: the same command goes on with the import: %w", ctx.Err())
	}
	return run, err
}

// send sends what is missing of the file.
func (in *importing) send(ctx context.Context, run *client.Import) (*client.Import, error) {
	info, err := in.file.Stat()
	if err != nil {
		return run, err
	}
	if _, err := in.file.Seek(0, io.SeekStart); err != nil {
		return run, err
	}
	g := in.shown("sending "+in.name+" (KiB)", run.Bytes>>10, info.Size()>>10)
	if info.Size() < worthShowing {
		g.out = io.Discard
	}
	defer g.end()
	return in.site.send(ctx, run.ID, in.file, func(bytes int64) { g.set(bytes>>10, info.Size()>>10) })
}

// worthShowing is the length of a file in bytes from which on it is shown how far it
// was sent.
const worthShowing = 4 << 20

// shown begins to show progress as it was asked for.
func (in *importing) shown(title string, from, total int64) *progress {
	g := in.p.progress(title, from, total)
	switch in.importRequest.progress {
	case "plain":
		g.bar = false
	case "none":
		g.out, g.bar = io.Discard, false
	}
	return g
}
