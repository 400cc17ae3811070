//go:build unix

package app

import (
	"os"
	"path/filepath"
	"testing"
)

// A file that this process owns is looked at as somebody else, who is in its group or
// has it as a credential.
func TestDoctorKnowsWhoWasGrantedASecret(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret-key")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	own, err := ownReader()
	if err != nil {
		t.Fatal(err)
	}
	// A folder may give its own group to what is made in it; then it is that one.
	if err := os.Chown(path, own.uid, os.Getegid()); err != nil {
		t.Fatal(err)
	}
	other, group := own.uid+1, []int{os.Getegid()}
	for name, c := range map[string]struct {
		r    reader
		mode os.FileMode
		want bool
	}{
		"of the group":                    {reader{other, group, ""}, 0o440, true},
		"of the group, owner may write":   {reader{other, group, ""}, 0o640, true},
		"the owner":                       {reader{own.uid, group, ""}, 0o440, false},
		"of another group":                {reader{other, []int{os.Getegid() + 1}, ""}, 0o440, false},
		"a credential":                    {reader{other, nil, dir + "/"}, 0o440, true},
		"a credential of another service": {reader{other, nil, filepath.Dir(dir)}, 0o440, false},
		"the group may write":             {reader{other, group, ""}, 0o460, false},
		"the group may run it":            {reader{other, group, ""}, 0o450, false},
		"everybody may read":              {reader{other, group, dir}, 0o444, false},
	} {
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.r.granted(path, info); got != c.want {
			t.Errorf("%s, mode %04o: granted %v, want %v", name, c.mode, got, c.want)
		}
	}
}
