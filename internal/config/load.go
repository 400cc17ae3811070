package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// Origin is where a setting's value came from.
type Origin string

// The origins, each overriding the ones before.
const (
	OriginDefault Origin = "default"
	OriginFile    Origin = "file"
	OriginEnv     Origin = "env"
	OriginFlag    Origin = "flag"
)

// Loaded is the settings in force and the origin of each by key.
type Loaded struct {
	Config
	Origins map[string]Origin
}

// AddFlags defines flags for settings: those named, or all that may be flags.
// The flags hold raw texts; Load reads and checks them.
func AddFlags(flags *pflag.FlagSet, keys ...string) {
	defaults := reflect.ValueOf(Default())
	for _, s := range Settings() {
		if !s.mayComeFrom(OriginFlag) || len(keys) > 0 && !slices.Contains(keys, s.Key) {
			continue
		}
		help := s.Help
		if len(s.OneOf) > 0 {
			help += " (" + strings.Join(s.OneOf, ", ") + ")"
		}
		value := &rawFlag{kind: s.Type, text: format(defaults.Field(s.index))}
		flag := flags.VarPF(value, s.Flag, "", help)
		if s.Type == "boolean" {
			flag.NoOptDefVal = "true"
		}
	}
}

// rawFlag is a flag whose text Load reads later, so that a bad value gives one
// kind of error wherever it came from.
type rawFlag struct{ kind, text string }

func (f *rawFlag) String() string        { return f.text }
func (f *rawFlag) Set(text string) error { f.text = text; return nil }
func (f *rawFlag) Type() string          { return f.kind }

// Load reads the settings: defaults, then the file that the config setting
// names, then variables, then flags. environ has the form of os.Environ; an
// empty variable counts as not set. flags may be nil and may hold foreign
// flags too. Load refuses unknown keys, unreadable values and whatever
// Validate refuses, with an error that names every key at fault.
func Load(environ []string, flags *pflag.FlagSet) (Loaded, error) {
	settings := Settings()
	fromEnv, err := envLayer(environ)
	if err != nil {
		return Loaded{}, err
	}
	fromFlags, err := flagLayer(flags, settings)
	if err != nil {
		return Loaded{}, err
	}
	path := fromFlags.String("config")
	if path == "" {
		path = fromEnv.String("config")
	}
	fromFile, err := fileLayer(path)
	if err != nil {
		return Loaded{}, err
	}
	l := Loaded{Config: Default(), Origins: make(map[string]Origin, len(settings))}
	for _, s := range settings {
		l.Origins[s.Key] = OriginDefault
	}
	var errs []error
	errs = append(errs, l.apply(OriginFile, fromFile, settings)...)
	errs = append(errs, l.apply(OriginEnv, fromEnv, settings)...)
	errs = append(errs, l.apply(OriginFlag, fromFlags, settings)...)
	if len(errs) == 0 {
		errs = append(errs, l.Validate())
	}
	return l, errors.Join(errs...)
}

// apply sets what a layer holds. It finds all faults, not only the first.
func (l *Loaded) apply(origin Origin, layer *koanf.Koanf, settings []Setting) []error {
	target := reflect.ValueOf(&l.Config).Elem()
	var errs []error
	for _, key := range layer.Keys() {
		at := slices.IndexFunc(settings, func(s Setting) bool { return s.Key == key })
		if at < 0 || !settings[at].mayComeFrom(origin) {
			errs = append(errs, unknownKey(key, origin, settings))
			continue
		}
		s := settings[at]
		if err := assign(target.Field(s.index), layer.Get(key)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.nameIn(origin), err))
			continue
		}
		l.Origins[key] = origin
	}
	return errs
}

// nameIn is the setting as the person wrote it.
func (s Setting) nameIn(o Origin) string {
	switch o {
	case OriginEnv:
		return s.Env
	case OriginFlag:
		return "--" + s.Flag
	default:
		return s.Key
	}
}

func unknownKey(key string, origin Origin, settings []Setting) error {
	name := Setting{Key: key, Env: envPrefix + strings.ToUpper(key)}.nameIn(origin)
	at := slices.IndexFunc(settings, func(s Setting) bool { return s.Key == key })
	if at >= 0 {
		return fmt.Errorf("%s: this setting cannot come from the %s", name, origin)
	}
	if near := nearest(key, settings); near != "" {
		at = slices.IndexFunc(settings, func(s Setting) bool { return s.Key == near })
		return fmt.Errorf("%s: unknown setting; did you mean %s?", name, settings[at].nameIn(origin))
	}
	return fmt.Errorf("%s: unknown setting", name)
}

func fileLayer(path string) (*koanf.Koanf, error) {
	layer := koanf.New(".")
	if path == "" {
		return layer, nil
	}
	if err := layer.Load(file.Provider(path), yaml.Parser()); err != nil {
		return nil, fmt.Errorf("config: cannot read the file: %w", err)
	}
	return layer, nil
}

func envLayer(environ []string) (*koanf.Koanf, error) {
	layer := koanf.New(".")
	err := layer.Load(env.Provider("", env.Opt{
		Prefix:      envPrefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			if value == "" {
				return "", nil
			}
			return strings.ToLower(strings.TrimPrefix(name, envPrefix)), value
		},
	}), nil)
	if err != nil {
		return nil, fmt.Errorf("config: cannot read the environment: %w", err)
	}
	return layer, nil
}

func flagLayer(flags *pflag.FlagSet, settings []Setting) (*koanf.Koanf, error) {
	layer := koanf.New(".")
	if flags == nil {
		return layer, nil
	}
	for _, s := range settings {
		flag := flags.Lookup(s.Flag)
		if flag == nil || !flag.Changed {
			continue
		}
		if _, ours := flag.Value.(*rawFlag); !ours {
			continue
		}
		if err := layer.Set(s.Key, flag.Value.String()); err != nil {
			return nil, fmt.Errorf("--%s: %w", s.Flag, err)
		}
	}
	return layer, nil
}
