package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/spf13/cobra"
)

// profileVariable names the profile of commands that ask a server.
const profileVariable = "USHER_PROFILE"

// profile is a server with the key for it: the key itself, or the file that has it.
type profile struct{ server, key, keyFile string }

// profiles are all of the profile file.
type profiles struct {
	current string // used when nothing else says where a command works; "" for none
	named   map[string]profile
}

// profileName is the form of names: they are words in a shell.
var profileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// profilePath is the file of the profiles, in the user's folder of settings (XDG Base
// Directory Specification); "" for whoever has none, as a service.
func (p *program) profilePath() string {
	dir := p.variable("XDG_CONFIG_HOME")
	if home := p.variable("HOME"); dir == "" && home != "" {
		dir = filepath.Join(home, ".config")
	}
	if own := p.variable("APPDATA"); dir == "" && runtime.GOOS == "windows" {
		dir = own
	}
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "usher", "profiles.yaml")
}

// readProfiles reads the file; without one there are none. A file that others may read
// is refused, since it holds keys.
func (p *program) readProfiles() (profiles, error) {
	list := profiles{named: map[string]profile{}}
	path := p.profilePath()
	info, err := os.Stat(path)
	if path == "" || errors.Is(err, fs.ErrNotExist) {
		return list, nil
	}
	if err != nil {
		return list, fmt.Errorf("profiles: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return list, fmt.Errorf("profiles: others may read %s, which holds keys (mode %04o); run: chmod 600 '%s', and replace the keys if others could read them",
			path, info.Mode().Perm(), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return list, fmt.Errorf("profiles: %w", err)
	}
	members, err := yaml.Parser().Unmarshal(text)
	if err != nil {
		return list, fmt.Errorf("profiles: %s is not YAML", path) // the parser's words may show a key
	}
	if err := list.read(members); err != nil {
		return list, fmt.Errorf("profiles: %s: %w", path, err)
	}
	return list, nil
}

// read takes the members of the file; unknown ones are refused.
func (l *profiles) read(members map[string]any) error {
	for name, value := range members {
		switch name {
		case "current":
			l.current = fmt.Sprint(value)
		case "profiles":
			all, ok := value.(map[string]any)
			if !ok {
				return errors.New("profiles is not a list of names")
			}
			for name, value := range all {
				one, err := readProfile(value)
				if err != nil {
					return fmt.Errorf("profile %s: %w", name, err)
				}
				l.named[name] = one
			}
		default:
			return fmt.Errorf("unknown member %q", name)
		}
	}
	return nil
}

func readProfile(value any) (profile, error) {
	var one profile
	members, ok := value.(map[string]any)
	if !ok {
		return one, errors.New("has no members")
	}
	for name, value := range members {
		text, ok := value.(string)
		if !ok {
			return one, fmt.Errorf("%s is no text", name)
		}
		switch name {
		case "server":
			one.server = text
		case "key":
			one.key = text
		case "key_file":
			one.keyFile = text
		default:
			return one, fmt.Errorf("unknown member %q", name)
		}
	}
	if one.server == "" || (one.key == "") == (one.keyFile == "") {
		return one, errors.New("needs server, and either key or key_file")
	}
	return one, nil
}

// writeProfiles writes the file, all of it or nothing, for this user alone.
func (p *program) writeProfiles(list profiles) error {
	path := p.profilePath()
	if path == "" {
		return errors.New("profiles: neither HOME nor XDG_CONFIG_HOME says where your settings are")
	}
	all := map[string]any{}
	for name, one := range list.named {
		members := map[string]any{"server": one.server}
		if one.keyFile != "" {
			members["key_file"] = one.keyFile
		} else {
			members["key"] = one.key
		}
		all[name] = members
	}
	members := map[string]any{"profiles": all}
	if list.current != "" {
		members["current"] = list.current
	}
	text, err := yaml.Parser().Marshal(members)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err != nil {
		return fmt.Errorf("profiles: %w", err)
	}
	draft, err := os.CreateTemp(filepath.Dir(path), "profiles.*.part") // mode 0600
	if err != nil {
		return fmt.Errorf("profiles: %w", err)
	}
	_, err = draft.Write(text)
	err = errors.Join(err, draft.Sync(), draft.Close())
	if err == nil {
		err = os.Rename(draft.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("profiles: %w", err), os.Remove(draft.Name()))
	}
	return nil
}

// names are the names of all profiles in order.
func (l *profiles) names() []string {
	var names []string
	for name := range l.named {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// profileNames are the names of all profiles, for a shell; none if the file cannot be
// read.
func (p *program) profileNames() []string {
	list, err := p.readProfiles()
	if err != nil {
		return nil
	}
	return list.names()
}

// find finds a profile by name.
func (l *profiles) find(name string) (profile, error) {
	one, ok := l.named[name]
	if !ok {
		return one, absent("--profile: there is no profile %q; see: usher profile list", name)
	}
	return one, nil
}

func (p *program) profileCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "Keep the addresses and keys of servers, for --profile",
		Long: "Keep the addresses and keys of servers in profiles.yaml in the folder usher of your settings (~/.config, or\n" +
			"XDG_CONFIG_HOME), which only you may read. --profile or " + profileVariable + " names one; the one that `usher profile use`\n" +
			"chose is asked when a command is told neither a server nor a database. A key goes only to the server of its profile.",
		Args: cobra.NoArgs,
		RunE: showHelp,
	}
	cmd.AddCommand(p.profileListCommand(), p.profileAddCommand(), p.profileUseCommand(), p.profileRemoveCommand())
	return cmd
}

func (p *program) profileListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the profiles, without their keys",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			list, err := p.readProfiles()
			if err != nil {
				return err
			}
			table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "NAME\tSERVER\tKEY\tUSED")
			for _, name := range list.names() {
				one, key, used := list.named[name], "kept here", ""
				if one.keyFile != "" {
					key = "in " + one.keyFile
				}
				if name == list.current {
					used = "yes"
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", name, one.server, key, used)
			}
			return table.Flush()
		},
	}
}

func (p *program) profileAddCommand() *cobra.Command {
	var one profile
	cmd := &cobra.Command{
		Use:   "add NAME --server URL",
		Short: "Add a profile, or replace the one of that name; the key is read from standard input",
		Long: "Add a profile, or replace the one of that name. The key is read from standard input, from a terminal without being\n" +
			"shown, and kept in the file of the profiles; with --key-file it stays in that file. It is never an argument, since\n" +
			"others see a process's arguments.",
		Example: "  usher profile add prod --server https://users.example.com < key\n" +
			"  usher profile add lab --server http://127.0.0.1:8080 --key-file ~/lab.key",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !profileName.MatchString(args[0]) {
				return withExit(exitUsage, fmt.Errorf("%q is no name of a profile: use letters, digits, dots, dashes and underscores", args[0]))
			}
			if one.server == "" {
				return errors.New("--server: name the server")
			}
			list, err := p.readProfiles()
			if err != nil {
				return err
			}
			if one.keyFile != "" {
				if one.keyFile, err = filepath.Abs(one.keyFile); err != nil {
					return fmt.Errorf("--key-file: %w", err)
				}
			} else if one.key, err = p.readKey(cmd.Context()); err != nil {
				return err
			}
			if _, err := p.clientOf(one.server, &target{keyFile: one.keyFile, key: one.key}); err != nil {
				return err
			}
			list.named[args[0]] = one
			if len(list.named) == 1 {
				p.note("it is the only profile; `usher profile use " + args[0] + "` makes commands ask its server without being told")
			}
			if err := p.writeProfiles(list); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "added profile %s for %s\n", args[0], one.server)
			return err
		},
	}
	cmd.Flags().StringVar(&one.server, serverFlag, "", "address of the server, as in https://users.example.com (required)")
	cmd.Flags().StringVar(&one.keyFile, "key-file", "", "file with the API key, which stays there")
	return cmd
}

func (p *program) profileUseCommand() *cobra.Command {
	var none bool
	cmd := &cobra.Command{
		Use:               "use NAME | --none",
		Short:             "Choose the profile that is asked when a command is told neither a server nor a database",
		ValidArgsFunction: p.completeProfile,
		Args: func(cmd *cobra.Command, args []string) error {
			if none {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			list, err := p.readProfiles()
			if err != nil {
				return err
			}
			text := "commands that are told nothing work on the database\n"
			if list.current = ""; !none {
				one, err := list.find(args[0])
				if err != nil {
					return err
				}
				list.current, text = args[0], "commands that are told nothing ask "+one.server+"\n"
			}
			if err := p.writeProfiles(list); err != nil {
				return err
			}
			_, err = fmt.Fprint(p.stdout, text)
			return err
		},
	}
	cmd.Flags().BoolVar(&none, "none", false, "use none")
	return cmd
}

func (p *program) profileRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "remove NAME",
		Short:             "Remove a profile with its key",
		ValidArgsFunction: p.completeProfile,
		Args:              cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			list, err := p.readProfiles()
			if err == nil {
				_, err = list.find(args[0])
			}
			if err != nil {
				return err
			}
			delete(list.named, args[0])
			if list.current == args[0] {
				list.current = ""
			}
			if err := p.writeProfiles(list); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "removed profile %s; its key is valid until `usher key revoke` ends it\n", args[0])
			return err
		},
	}
}

// completeProfile offers the names of profiles for the first argument.
func (p *program) completeProfile(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return complete(p.profileNames(), strings.TrimSpace(begun), false)
}
