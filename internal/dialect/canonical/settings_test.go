package canonical

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
)

// Every setting that a tenant can set goes out and comes back: one that is added
// to the core and not here fails.
func TestSettingsAreAllThere(t *testing.T) {
	var want directory.Settings
	fill(t, reflect.ValueOf(&want).Elem())
	shown := settingsOf(&want)
	got := shown.core()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	change := SettingsChange{raw: []byte(`{}`)}
	merged, err := change.merge(want)
	if diff := cmp.Diff(want, merged); diff != "" || err != nil {
		t.Errorf("an empty patch: %v (-want +got):\n%s", err, diff)
	}
	change.raw = []byte(`{"password":null,"requests_per_minute":null,"iqmetrix_picture_null":null,"max_failed_logins":null,"notify_on_create":null,"smartapp_inactive_without_seat":null,"recycle_bin_days":null,"event_days":null,"console_idle_minutes":null,"console_session_hours":null,"second_factor":null}`)
	merged, err = change.merge(want)
	if diff := cmp.Diff(directory.Settings{}, merged); diff != "" || err != nil {
		t.Errorf("all defaults: %v (-want +got):\n%s", err, diff)
	}
}

// TestSettingsChangeNamesThemAll: the patch has the members of what is shown.
func TestSettingsChangeNamesThemAll(t *testing.T) {
	for shown, change := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[TenantSettings](): reflect.TypeFor[SettingsChange](), reflect.TypeFor[PasswordSettings](): reflect.TypeFor[PasswordChange]()} {
		for i := range shown.NumField() {
			field, ok := change.FieldByName(shown.Field(i).Name)
			if want := shown.Field(i).Tag.Get("json") + ",omitempty"; !ok || field.Tag.Get("json") != want {
				t.Errorf("%s.%s is %q, want %q", change, shown.Field(i).Name, field.Tag.Get("json"), want)
			}
		}
	}
}

// fill sets every member that can be set to something else than its zero value.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumField() {
		field := v.Field(i)
		if v.Type().Field(i).Tag.Get("setting") == "fixed" {
			continue
		}
		switch field.Kind() {
		case reflect.Struct:
			fill(t, field)
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Int:
			field.SetInt(7)
		case reflect.String:
			field.SetString("all")
		case reflect.Map:
			field.Set(reflect.ValueOf(map[string]int{"scim": 7}))
		default:
			t.Fatalf("%s: no value for a %s", v.Type().Field(i).Name, field.Kind())
		}
	}
}
