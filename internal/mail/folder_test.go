package mail_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/mail"
)

// files lists a folder with the modes of its files.
func files(t *testing.T, dir string) map[string]os.FileMode {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]os.FileMode{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		list[e.Name()] = info.Mode()
	}
	return list
}

func TestFolderKeepsMessagesForItsOwner(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "mail")
	folder := mail.NewFolder(dir)
	msg := render(t, sample(directory.MailPassword))
	for range 2 { // the second try of a job replaces the first
		if err := folder.Send(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
	}
	const name = "20260304T050607Z-" + id + ".eml"
	if diff := cmp.Diff(map[string]os.FileMode{name: 0o600}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder %v, %v", info.Mode(), err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if p := parse(t, raw); !strings.Contains(p.text, "Kiwi-42-Lamp") || p.to.Address != "john@example.test" {
		t.Errorf("the file holds\n%s", raw)
	}
}

func TestFolderThatCannotBeIsAnErrorThatPasses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mail")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := mail.NewFolder(file).Send(t.Context(), render(t, sample(directory.MailPassword)))
	if failure, ok := errors.AsType[*mail.Error](err); !ok || failure.Permanent() || !strings.Contains(err.Error(), "mail_dir") {
		t.Errorf("error = %v", err)
	}
	if mail.NewFolder(file).Prepare() == nil {
		t.Error("Prepare finds nothing wrong")
	}
}

// What cannot be put in place leaves nothing half written behind.
func TestFolderLeavesNoHalfFile(t *testing.T) {
	dir := t.TempDir()
	const name = "20260304T050607Z-" + id + ".eml"
	if err := os.MkdirAll(filepath.Join(dir, name, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := mail.NewFolder(dir).Send(t.Context(), render(t, sample(directory.MailPassword))); err == nil {
		t.Fatal("no error")
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("the folder holds %v", got)
	}
}

func TestMailerSendsNothingThatHasEnded(t *testing.T) {
	m := sample(directory.MailReset)
	for _, c := range []struct {
		now  time.Time
		sent bool
	}{{m.Expires.Add(-time.Second), true}, {m.Expires, false}, {m.Expires.Add(time.Hour), false}} {
		dir := t.TempDir()
		mailer := mail.NewMailer(renderer(t), mail.NewFolder(dir), func() time.Time { return c.now })
		err := mailer.Deliver(t.Context(), m, id, asked)
		failure, refused := errors.AsType[*mail.Error](err)
		if ended := refused && failure.Permanent(); ended == c.sent || (err == nil) != c.sent || (len(files(t, dir)) == 1) != c.sent {
			t.Errorf("at %s: %v", c.now, err)
		}
	}
}

func TestMailerPassesOnWhatCannotBeWritten(t *testing.T) {
	m := sample(directory.MailReset)
	m.To = "nobody"
	err := mail.NewMailer(renderer(t), mail.NewFolder(t.TempDir()), time.Now).Deliver(t.Context(), m, id, asked)
	if failure, ok := errors.AsType[*mail.Error](err); !ok || !failure.Permanent() {
		t.Errorf("error = %v", err)
	}
}
