package pull_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/pull"
	"github.com/usher-id/usher/internal/web"
)

func certificate(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// pages is a directory elsewhere that is a list of pages of user names.
type pages struct {
	list     [][]string
	total    int64
	complete bool
	at       func(page int) error // before each page
	signIns  int
}

func (p *pages) SignIn(context.Context, web.Ask) error { p.signIns++; return nil }

func (p *pages) Page(_ context.Context, _ web.Ask, at string) (directory.RecordPage, error) {
	n, _ := strconv.Atoi(at)
	if p.at != nil {
		if err := p.at(n); err != nil {
			return directory.RecordPage{}, err
		}
	}
	page := directory.RecordPage{Total: p.total}
	for _, name := range p.list[n] {
		page.Records = append(page.Records, directory.Record{UserName: &name, Title: new("T" + name)})
	}
	page.Leave("shoes")
	if n+1 < len(p.list) {
		page.Next = strconv.Itoa(n + 1)
	}
	return page, nil
}

func (p *pages) Shown(*directory.UserDetail) (directory.Record, error) {
	return directory.Record{}, nil
}
func (p *pages) Lists(*directory.UserDetail) bool { return true }
func (p *pages) Complete() bool                   { return p.complete }

func content(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func names(text string) (list []string) {
	for line := range strings.Lines(text) {
		_, rest, _ := strings.Cut(line, `"user_name":"`)
		name, _, _ := strings.Cut(rest, `"`)
		list = append(list, name)
	}
	return list
}

// TestResume: after an error the same call goes on with the page that failed; what a
// kill left half written is cut off.
func TestResume(t *testing.T) {
	p := &pages{list: [][]string{{"a", "b"}, {"c"}, {"d", "e"}}, total: 5, complete: true}
	p.at = func(page int) error {
		if page == 2 {
			return fmt.Errorf("cut")
		}
		return nil
	}
	o := pull.Options{Source: p, Name: "pages", File: filepath.Join(t.TempDir(), "users")}
	got, err := pull.Read(t.Context(), o)
	if err == nil || got.Users != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	if info, err := os.Stat(o.File); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	f, err := os.OpenFile(o.File, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"user_name":"d"}` + "\n" + `{"user_na`); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	asked := []int{}
	p.at = func(page int) error { asked = append(asked, page); return nil }
	got, err = pull.Read(t.Context(), o)
	if err != nil || got.Users != 5 || got.Resumed != 3 || got.Left["shoes"] != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	if diff := cmp.Diff([]int{2}, asked); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, names(content(t, o.File))); diff != "" {
		t.Error(diff)
	}
	o.Name = "something else"
	if _, err := pull.Read(t.Context(), o); err == nil || !strings.Contains(err.Error(), "begun for something else (pages)") {
		t.Error(err)
	}
	if err := pull.Remove(o.File); err != nil {
		t.Error(err)
	}
	if list, err := os.ReadDir(filepath.Dir(o.File)); err != nil || len(list) > 0 {
		t.Errorf("%v is left, %v", list, err)
	}
}

// TestForeignFile: a file that this command did not begin is left alone.
func TestForeignFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := pull.Read(t.Context(), pull.Options{Source: &pages{}, File: file})
	if err == nil || !strings.Contains(err.Error(), "not begun by this command") || content(t, file) != "mine" {
		t.Error(err)
	}
}

// TestOneAtATime: two processes never write one file.
func TestOneAtATime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	p := &pages{list: [][]string{{"a"}}}
	o := pull.Options{Source: p, Name: "pages", File: file}
	p.at = func(int) error {
		if _, err := pull.Read(t.Context(), o); err == nil || !strings.Contains(err.Error(), "another process") {
			t.Error(err)
		}
		return nil
	}
	if _, err := pull.Read(t.Context(), o); err != nil {
		t.Error(err)
	}
}

// TestShiftedPages: who was missed because somebody left meanwhile is found when all
// is read a second time, and nobody is there twice.
func TestShiftedPages(t *testing.T) {
	p := &pages{list: [][]string{{"a", "b"}, {"c", "d"}}, total: 4, complete: true}
	shifted := false
	p.at = func(page int) error {
		if page == 1 && !shifted { // a left: b and c moved up
			shifted = true
			p.list, p.total = [][]string{{"b", "c"}, {"d", "e"}}, 4
		}
		return nil
	}
	o := pull.Options{Source: p, File: filepath.Join(t.TempDir(), "users")}
	got, err := pull.Read(t.Context(), o)
	if err != nil || got.Users != 4 || got.Missing != 0 || got.Left["shoes"] != 2 {
		t.Errorf("%+v, %v", got, err) // a, b, d, e: as many as there are, and c is missed
	}
	p.list, p.total = [][]string{{"a"}, {"b"}}, 5
	o.File += "2"
	again := []bool{}
	o.Progress = func(at pull.Progress) { again = append(again, at.Again) }
	got, err = pull.Read(t.Context(), o)
	if err != nil || got.Users != 2 || got.Missing != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	if diff := cmp.Diff([]bool{false, true, true, true}, again); diff != "" {
		t.Error(diff)
	}
}

// TestSessionEnds: a credential that has ended is got again, once.
func TestSessionEnds(t *testing.T) {
	p := &pages{list: [][]string{{"a"}, {"b"}}}
	p.at = func(page int) error {
		if page == 1 && p.signIns == 1 {
			return &web.RemoteError{Request: "GET x", Status: 401, Message: "over"}
		}
		return nil
	}
	if got, err := pull.Read(t.Context(), pull.Options{Source: p, File: filepath.Join(t.TempDir(), "users")}); err != nil || got.Users != 2 || p.signIns != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestWithout: members that are left out are nowhere in the file.
func TestWithout(t *testing.T) {
	p := &pages{list: [][]string{{"a"}}}
	o := pull.Options{Source: p, File: filepath.Join(t.TempDir(), "users"), Without: []string{"title"}}
	if _, err := pull.Read(t.Context(), o); err != nil || content(t, o.File) != `{"user_name":"a"}`+"\n" {
		t.Errorf("%s, %v", content(t, o.File), err)
	}
}
