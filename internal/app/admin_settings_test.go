package app

import (
	"encoding/json"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// everyKind has a member of each form that settings may take one day.
type everyKind struct {
	Text   string              `json:"text,omitempty"`
	Flag   bool                `json:"flag,omitempty"`
	Number int                 `json:"number,omitempty"`
	Big    int64               `json:"big,omitempty"`
	Small  int8                `json:"small,omitempty"`
	Share  float64             `json:"share,omitempty"`
	Wait   time.Duration       `json:"wait,omitempty"`
	List   []string            `json:"list,omitempty"`
	Ports  []int               `json:"ports,omitempty"`
	Addr   netip.Addr          `json:"addr,omitzero"`
	Limits map[string]int      `json:"limits,omitempty"`
	Names  map[string]string   `json:"names,omitempty"`
	Groups map[string][]string `json:"groups,omitempty"`
	Inner  struct {
		Deep struct {
			Text string `json:"text,omitempty"`
		} `json:"deep,omitzero"`
	} `json:"inner,omitzero"`
	directory.PasswordPolicy
	Hidden string `json:"-"`
	Fixed  bool   `json:"fixed,omitempty" setting:"fixed"`
}

// A member of any form can be listed and set by its key without code of its
// own.
func TestSettingsOfEveryKind(t *testing.T) {
	var s everyKind
	members := map[string]reflect.Value{}
	var keys []string
	for _, m := range settingsOf(reflect.ValueOf(&s).Elem(), "") {
		members[m.key] = m.value
		keys = append(keys, m.key)
	}
	if want := strings.Fields("text flag number big small share wait list ports addr limits names groups inner.deep.text " +
		"min_length allow_blocked allow_context"); !cmp.Equal(keys, want) {
		t.Fatalf("keys %q, want %q", keys, want)
	}
	for key, texts := range map[string][]string{
		"text": {"a, =b", ""}, "flag": {"true", "false"}, "number": {"-5", "0"}, "big": {"1099511627776", "0"}, "small": {"127"},
		"share": {"0.5", ""}, "wait": {"1m30s", "0s"}, "list": {"a,b", ""}, "ports": {"[1,2]", ""}, "addr": {"192.0.2.1"},
		"inner.deep.text": {"x", ""}, "min_length": {"8", "0"},
	} {
		for _, text := range texts {
			if err := setValue(members[key], key, text); err != nil || valueText(members[key]) != text {
				t.Errorf("%s=%s: %v, then it is %q", key, text, err, valueText(members[key]))
			}
		}
	}
	for key, text := range map[string]string{"flag": "yes", "number": "1.5", "small": "128", "share": "half", "wait": "5",
		"ports": "1,2", "addr": "nowhere"} {
		before := s
		if err := setValue(members[key], key, text); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("%s=%s: error %v, want one that names the key", key, text, err)
		}
		if diff := cmp.Diff(before, s, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%s=%s changed:\n%s", key, text, diff)
		}
	}
	wantEntries(t, members)
}

// wantEntries sets and removes entries of maps.
func wantEntries(t *testing.T, members map[string]reflect.Value) {
	t.Helper()
	for key, text := range map[string]string{"limits": "5", "names": "a b", "groups": "x,y"} {
		m := members[key]
		if err := setEntry(m, key+".one", "one", text); err != nil {
			t.Fatal(err)
		}
		shared := m.Interface()
		if err := setEntry(m, key+".two.more", "two.more", text); err != nil {
			t.Fatal(err)
		}
		if got := m.MapIndex(reflect.ValueOf("two.more")); m.Len() != 2 || valueText(got) != text {
			t.Errorf("%s has %v", key, m)
		}
		if reflect.ValueOf(shared).Len() != 1 {
			t.Errorf("%s: a map that others hold was changed to %v", key, shared)
		}
		for _, entry := range []string{"one", "two.more", "never there"} {
			if err := setEntry(m, key+"."+entry, entry, ""); err != nil {
				t.Error(err)
			}
		}
		if !m.IsNil() {
			t.Errorf("%s without entries is %v", key, m)
		}
	}
	if err := setEntry(members["limits"], "limits.x", "x", "many"); err == nil || !strings.HasPrefix(err.Error(), "limits.x: ") {
		t.Errorf("error %v, want one that names the entry", err)
	}
}

// fillSettings gives every member a value that is not its default.
func fillSettings(t *testing.T, v reflect.Value) {
	t.Helper()
	for _, m := range settingsOf(v, "") {
		text := "1"
		switch m.value.Interface().(type) {
		case bool:
			text = "true"
		case time.Duration:
			text = "1h0m0s"
		case map[string]int:
			if err := setEntry(m.value, m.key+".iqmetrix", "iqmetrix", text); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := setValue(m.value, m.key, text); err != nil {
			t.Errorf("the member %s of directory.Settings has a form that this test cannot fill: %v", m.key, err)
		}
	}
}

// What is listed is everything: given to a new tenant, it makes the same
// settings.
func TestSettingPairsAreWhole(t *testing.T) {
	var full, copied directory.Settings
	fillSettings(t, reflect.ValueOf(&full).Elem())
	tenant := directory.Tenant{Settings: copied}
	if err := setTenantPairs(&tenant, settingPairs(full)); err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(tenant.Settings); err != nil || string(got) != string(want) {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}

// docs/tenants.md has a row for every key, and for no other.
func TestTenantKeysAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/tenants.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	_, settings, _ := strings.Cut(string(page), "\n## Settings\n")
	settings, _, _ = strings.Cut(settings, "\n## ")
	for line := range strings.Lines(settings) {
		if row, ok := strings.CutPrefix(line, "| `"); ok {
			key, _, _ := strings.Cut(row, "`")
			documented = append(documented, key)
		}
	}
	if diff := cmp.Diff(TenantKeys(), documented); diff != "" {
		t.Errorf("docs/tenants.md (-keys +rows):\n%s", diff)
	}
}
