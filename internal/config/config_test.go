package config_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/usher-id/usher/internal/config"
)

var update = flag.Bool("update", false, "write docs/config.md anew")

// load writes yaml to a file and loads it with variables and flags.
func load(t *testing.T, yaml string, environ, args []string) (config.Loaded, error) {
	t.Helper()
	if yaml != "" {
		path := filepath.Join(t.TempDir(), "usher.yaml")
		if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
		environ = append(environ, "USHER_CONFIG="+path)
	}
	flags := pflag.NewFlagSet("usher", pflag.ContinueOnError)
	config.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return config.Load(environ, flags)
}

func TestEachSourceOverridesTheOnesBefore(t *testing.T) {
	yaml := "addr: 127.0.0.1:1\nread_timeout: 1s\nwrite_timeout: 2s\nlog_level: warn\n"
	environ := []string{"USHER_READ_TIMEOUT=3s", "USHER_WRITE_TIMEOUT=4s", "USHER_ADDR=", "HOME=/x"}
	got, err := load(t, yaml, environ, []string{"--write-timeout=5s", "--demo"})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Config = got.Config.Config
	want.Addr, want.LogLevel, want.Demo = "127.0.0.1:1", "warn", true
	want.ReadTimeout, want.WriteTimeout = 3*time.Second, 5*time.Second
	if diff := cmp.Diff(want, got.Config); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	for key, origin := range map[string]config.Origin{"addr": config.OriginFile, "read_timeout": config.OriginEnv,
		"write_timeout": config.OriginFlag, "demo": config.OriginFlag, "database": config.OriginDefault, "config": config.OriginEnv} {
		if got.Origins[key] != origin {
			t.Errorf("origin of %s = %s, want %s", key, got.Origins[key], origin)
		}
	}
}

func TestValuesOfEveryType(t *testing.T) {
	yaml := `
trusted_proxies: [10.0.0.1, "fd00::/8"]
doors: iqmetrix, scim
max_body: 2MiB
max_header: 8192
sqlite_readers: 3
demo: true
shutdown_timeout: 1m30s
`
	got, err := load(t, yaml, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Config = got.Config.Config
	want.TrustedProxies = []string{"10.0.0.1", "fd00::/8"}
	want.Doors = []string{"iqmetrix", "scim"}
	want.MaxBody, want.MaxHeader, want.SQLiteReaders, want.Demo = 2<<20, 8192, 3, true
	want.ShutdownTimeout = 90 * time.Second
	if diff := cmp.Diff(want, got.Config); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	proxies, err := got.Proxies()
	if err != nil || fmt.Sprint(proxies) != "[10.0.0.1/32 fd00::/8]" {
		t.Errorf("Proxies() = %v, %v", proxies, err)
	}
}

func TestErrorsNameTheKey(t *testing.T) {
	long := strings.Repeat("x", config.MinBootstrapKey)
	for _, c := range []struct {
		name, yaml string
		environ    []string
		args       []string
		want       string // "" for no error
	}{
		{"unknown key with a near one", "adress: x", nil, nil, "adress: unknown setting; did you mean addr?"},
		{"unknown key with none near", "zzzzzzzzzzzzzzzz: x", nil, nil, "zzzzzzzzzzzzzzzz: unknown setting"},
		{"nested key", "tls:\n  cert: x", nil, nil, "tls.cert: unknown setting; did you mean tls_cert?"},
		{"unknown variable", "", []string{"USHER_DATBASE=x"}, nil, "USHER_DATBASE: unknown setting; did you mean USHER_DATABASE?"},
		{"config in the file", "config: x", nil, nil, "config: this setting cannot come from the file"},
		{"bad duration", "", nil, []string{"--read-timeout=5"}, "--read-timeout: not a duration"},
		{"bad size", "", []string{"USHER_MAX_BODY=1MB"}, nil, "USHER_MAX_BODY: not a size"},
		{"size overflow", "max_body: 99999999999999GiB", nil, nil, "max_body: not a size"},
		{"bad boolean", "demo: perhaps", nil, nil, "demo: not a boolean"},
		{"bad number", "sqlite_readers: 1.5", nil, nil, "sqlite_readers: not a whole number"},
		{"list for a text", "addr: [a]", nil, nil, "addr: must be a single value"},
		{"no value", "addr:", nil, nil, "addr: has no value"},
		{"outside of bounds", "max_body: 1", nil, nil, "max_body: 1 is outside of 1KiB to 1GiB"},
		{"duration outside of bounds", "read_timeout: 100h", nil, nil, "read_timeout: 100h0m0s is outside of 1s to 1h0m0s"},
		{"not one of", "log_format: xml", nil, nil, `log_format: "xml" is not one of json, text`},
		{"address without port", "addr: localhost", nil, nil, "addr: not an address"},
		{"port too large", "metrics_addr: localhost:70000", nil, nil, `metrics_addr: port "70000"`},
		{"certificate without key", "tls_cert: a.pem", nil, nil, "tls_key: is needed with tls_cert"},
		{"key without certificate", "tls_key: a.pem", nil, nil, "tls_cert: is needed with tls_key"},
		{"proxy", "trusted_proxies: [nginx]", nil, nil, `trusted_proxies: "nginx" is neither an address nor a network`},
		{"no door", "doors: []", nil, nil, "doors: name at least one door"},
		{"database", "database: mysql://x", nil, nil, "database: write sqlite:path"},
		{"short bootstrap key", "", []string{"USHER_BOOTSTRAP_KEY=" + long[1:]}, nil, "bootstrap_key: must have at least 16 characters"},
		{"long enough bootstrap key", "", []string{"USHER_BOOTSTRAP_KEY=" + long}, nil, ""},
		{"connections", "pg_max_conns: 4", nil, nil, "pg_max_conns: must be 0 or at least 16"},
		{"demo on every address", "", nil, []string{"--demo", "--addr=:8080"}, "addr: the sample directory's credentials are public"},
		{"demo on a foreign address", "", nil, []string{"--demo", "--addr=192.0.2.1:8080"}, "addr: the sample directory's credentials are public"},
		{"demo on IPv6 loopback", "", nil, []string{"--demo", "--addr=[::1]:8080"}, ""},
		{"demo on localhost", "", nil, []string{"--demo", "--addr=localhost:8080"}, ""},
		{"demo with random credentials", "", nil, []string{"--demo", "--addr=:8080", "--demo-credentials=random"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, c.yaml, c.environ, c.args)
			if c.want == "" {
				if err != nil {
					t.Fatalf("error = %v, want none", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error = %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestErrorsAreReportedTogether(t *testing.T) {
	_, err := load(t, "adress: x\nmax_body: lots\n", []string{"USHER_DEMO=perhaps"}, nil)
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("error = %v, want three lines", err)
	}
}

func TestMissingFileIsAnError(t *testing.T) {
	_, err := config.Load([]string{"USHER_CONFIG=" + filepath.Join(t.TempDir(), "none.yaml")}, nil)
	if err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("error = %v, want one that names the file", err)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	const secret = "correct-horse-battery"
	environ := []string{"USHER_BOOTSTRAP_KEY=" + secret, "USHER_DATABASE=postgres://usher:" + secret + "@db/usher?sslpassword=" + secret}
	got, err := load(t, "", environ, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := got.Write(&out); err != nil {
		t.Fatal(err)
	}
	json, err := got.BootstrapKey.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%v %+v %#v %s", got.BootstrapKey, got.BootstrapKey, got.BootstrapKey, json)
	if strings.Contains(out.String(), secret) {
		t.Errorf("printed a secret:\n%s", out.String())
	}
	for _, line := range []string{`bootstrap_key: "[redacted]"  # env`, `database: "postgres://usher:redacted@db/usher?sslpassword=redacted"  # env`} {
		if !strings.Contains(out.String(), line+"\n") {
			t.Errorf("no line %s in:\n%s", line, out.String())
		}
	}
}

func TestRedactDatabase(t *testing.T) {
	for in, want := range map[string]string{
		"sqlite:usher.db":                  "sqlite:usher.db",
		"postgres://db/usher":              "postgres://db/usher",
		"postgres://u:p@a,b/usher?x=1":     "postgres://u:redacted@a,b/usher?x=1",
		"postgresql://u:p@[::1]:5432/n":    "postgresql://u:redacted@[::1]:5432/n",
		"postgres://u:se cret%@bad host/x": "postgres://[redacted]",
	} {
		if got := config.RedactDatabase(in); got != want {
			t.Errorf("RedactDatabase(%q) = %q, want %q", in, got, want)
		}
	}
}

// What Write prints is a file that loads to the same settings.
func TestPrintedSettingsLoadAgain(t *testing.T) {
	first, err := load(t, "", []string{"USHER_TRUSTED_PROXIES=10.0.0.0/8, 192.0.2.1", "USHER_MAX_BODY=3000"}, []string{"--tls-cert=a \"b\".pem", "--tls-key=k", "--encore-lengths=UserName=1-20", "--smartapp-paths=update_user=/user/edit", "--webhook-networks=10.1.0.0/16"})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := first.Write(&out); err != nil {
		t.Fatal(err)
	}
	yaml := out.String()
	for _, key := range []string{"bootstrap_key", "smtp_password"} { // an empty secret has no place in a file
		yaml = strings.Replace(yaml, key+": \"\"", "# "+key, 1)
	}
	second, err := load(t, yaml, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	second.Config.Config = first.Config.Config
	if diff := cmp.Diff(first.Config, second.Config); diff != "" {
		t.Errorf("settings read back (-first +second):\n%s\nfrom\n%s", diff, yaml)
	}
}

// Every setting is described, in every spelling, and its default is valid.
func TestEverySettingIsDescribed(t *testing.T) {
	defaults := config.Default()
	if err := defaults.Validate(); err != nil {
		t.Errorf("the defaults are invalid: %v", err)
	}
	for _, s := range config.Settings() {
		if s.Key == "" || s.Help == "" || strings.HasSuffix(s.Help, ".") {
			t.Errorf("setting %+v: needs a key and a help text without a full stop", s)
		}
	}
}

func TestDocumentedSettingsAreCurrent(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "config.md")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(config.Markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Markdown(), string(got)); diff != "" {
		t.Errorf("docs/config.md is out of date; run go test ./internal/config -update (-want +got):\n%s", diff)
	}
}

// What the server opens and what doctor counts is one number.
func TestPostgresConnections(t *testing.T) {
	defer runtime.SetDefaultGOMAXPROCS()
	for _, c := range []struct{ setting, cores, want int }{{0, 2, 16}, {0, 8, 16}, {0, 20, 40}, {16, 20, 16}, {100, 2, 100}} {
		runtime.GOMAXPROCS(c.cores)
		if got := (&config.Config{PGMaxConns: c.setting}).PGConns(); got != c.want {
			t.Errorf("pg_max_conns %d on %d cores: %d connections, want %d", c.setting, c.cores, got, c.want)
		}
	}
}
