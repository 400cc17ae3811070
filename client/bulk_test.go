package client_test

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/usher-id/usher/client"
)

// imported brings a file in and waits for its end.
func imported(t *testing.T, c *client.Client, in client.NewImport, file string) *client.Import {
	t.Helper()
	i := must(c.Imports.Create(t.Context(), in))(t)
	must(c.Imports.SendFile(t.Context(), i.ID, strings.NewReader(file), nil))(t)
	must(c.Imports.Start(t.Context(), i.ID, client.Thresholds{}))(t)
	return must(c.Imports.Wait(t.Context(), i.ID, func(*client.Import) {}))(t)
}

// text reads a file that a server sends.
func text(t *testing.T, file io.ReadCloser, err error) string {
	t.Helper()
	whole := string(must(io.ReadAll(must(file, err)(t)))(t))
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return whole
}

func callImports(t *testing.T, c *client.Client) {
	columns := must(c.Imports.Columns(t.Context(), []string{"Login", "E-Mail", "Shoe size"}))(t)
	if want := []client.ImportColumn{{Header: "Login", Field: "user_name"}, {Header: "E-Mail", Field: "email"}, {Header: "Shoe size"}}; !slices.Equal(columns, want) {
		t.Errorf("columns are taken for %+v", columns)
	}
	options := client.ImportOptions{Format: client.FormatCSV}
	i := imported(t, c, client.NewImport{Name: "staff.csv", ImportOptions: options}, "Login,E-Mail\nhilda,hilda@example.com\nhugo,nowhere\n")
	if i.State != client.BulkDone || i.Counts.Create != 1 || i.Counts.Rejected() != 1 || i.Rows != 2 {
		t.Fatalf("the import is %+v", i)
	}
	var verdicts []string
	for v, err := range c.Imports.AllVerdicts(t.Context(), i.ID, client.VerdictQuery{PageQuery: client.PageQuery{Limit: 1}}) {
		if err != nil {
			t.Fatal(err)
		}
		verdicts = append(verdicts, fmt.Sprintf("%d %s %d", v.Line, v.Verdict, len(v.Errors)))
	}
	if !slices.Equal(verdicts, []string{"2 create 0", "3 invalid 1"}) {
		t.Errorf("the verdicts are %q", verdicts)
	}
	file, err := c.Imports.Rejected(t.Context(), i.ID)
	if got := text(t, file, err); !strings.HasPrefix(got, "\ufeffLogin,E-Mail,usher_line,usher_verdict,usher_field,usher_reason\r\nhugo,nowhere,3,invalid,email,") {
		t.Errorf("rejected: %q", got)
	}
	file, err = c.Imports.Undo(t.Context(), i.ID)
	undo := text(t, file, err)
	if back := imported(t, c, client.NewImport{ImportOptions: client.ImportOptions{Format: client.FormatNDJSON}}, undo); back.Counts.Update != 1 {
		t.Errorf("taking it back is %+v", back)
	}
	if _, err := c.Users.GetBy(t.Context(), client.ByUserName, "hilda"); !client.IsNotFound(err) {
		t.Errorf("hilda: %v", err)
	}
	if page := must(c.Imports.List(t.Context(), client.PageQuery{Limit: 1}))(t); len(page.Items) != 1 || page.NextCursor == "" {
		t.Errorf("the list is %+v", page)
	}
	exported := must(c.Users.Export(t.Context(), client.ExportQuery{Fields: []string{"user_name"}, Status: []string{client.StatusDeleted}}))(t)
	if got := text(t, exported, nil); !strings.Contains(got, "hilda\r\n") {
		t.Errorf("the recycle bin has %q", got)
	}
	for line, err := range c.Users.ExportLines(t.Context(), client.ExportQuery{}) {
		if err != nil || !json.Valid(line) {
			t.Errorf("%q, %v", line, err)
		}
	}
}

// callBulkActions cancels an action that waits behind imports with which the server is
// busy.
func callBulkActions(t *testing.T, c *client.Client) {
	if _, err := c.BulkActions.Create(t.Context(), client.NewBulkAction{Verb: client.ActionLock}); err == nil {
		t.Error("an action about nobody was sent")
	}
	everybody := &client.UserSelect{}
	a := must(c.BulkActions.Create(t.Context(), client.NewBulkAction{Verb: client.ActionSignOut, Select: everybody}))(t)
	a = must(c.BulkActions.Wait(t.Context(), a.ID, func(*client.BulkAction) {}))(t)
	if a.State != client.BulkDone || a.Done == 0 {
		t.Errorf("the action is %+v", a)
	}
	for v, err := range c.BulkActions.AllVerdicts(t.Context(), a.ID, client.VerdictQuery{}) {
		if err != nil || v.User == 0 {
			t.Errorf("%+v, %v", v, err)
		}
	}
	if page := must(c.BulkActions.List(t.Context(), client.PageQuery{}))(t); len(page.Items) != 1 {
		t.Errorf("the list is %+v", page)
	}
	var file strings.Builder
	file.WriteString("user_name,email\n")
	for n := range 60_000 {
		fmt.Fprintf(&file, "busy%d,busy%d@example.com\n", n, n)
	}
	var busy []string
	for range 4 {
		i := must(c.Imports.Create(t.Context(), client.NewImport{DryRun: true, ImportOptions: client.ImportOptions{Format: client.FormatCSV}}))(t)
		must(c.Imports.SendFile(t.Context(), i.ID, strings.NewReader(file.String()), func(int64) {}))(t)
		busy = append(busy, i.ID)
	}
	for _, id := range busy {
		must(c.Imports.Start(t.Context(), id, client.Thresholds{}))(t)
	}
	a = must(c.BulkActions.Create(t.Context(), client.NewBulkAction{Verb: client.ActionSignOut, Select: everybody}))(t)
	if a = must(c.BulkActions.Cancel(t.Context(), a.ID))(t); a.State != client.BulkCancelled {
		t.Errorf("the action is %+v", a)
	}
	must(c.Imports.Cancel(t.Context(), busy[len(busy)-1]))(t)
}

// A transfer that breaks goes on where it was, and needs no more of the file than what
// is missing.
func TestSendFileGoesOn(t *testing.T) {
	_, c := newOffice(t)
	file := "user_name\n" + strings.Repeat("somebody\n", 300_000)
	i := must(c.Imports.Create(t.Context(), client.NewImport{ImportOptions: client.ImportOptions{Format: client.FormatCSV}}))(t)
	broken := io.MultiReader(strings.NewReader(file[:i.PartBytes+5]), failing{})
	if _, err := c.Imports.SendFile(t.Context(), i.ID, broken, nil); err == nil {
		t.Fatal("the break was not told")
	}
	if i = must(c.Imports.Get(t.Context(), i.ID))(t); i.Parts != 1 {
		t.Fatalf("%d parts are there behind the break", i.Parts)
	}
	var sent []int64
	i = must(c.Imports.SendFile(t.Context(), i.ID, strings.NewReader(file), func(bytes int64) { sent = append(sent, bytes) }))(t)
	if i.Bytes != int64(len(file)) || sent[0] != 2*i.PartBytes {
		t.Errorf("%d bytes of %d are there; it went on with %v", i.Bytes, len(file), sent)
	}
	if _, err := c.Imports.SendFile(t.Context(), i.ID, strings.NewReader("short"), nil); err != nil {
		t.Errorf("a file that can be sought is not read: %v", err)
	}
	if _, err := c.Imports.SendFile(t.Context(), i.ID, io.MultiReader(strings.NewReader("short")), nil); err == nil {
		t.Error("a shorter file was taken for the same")
	}
}

// failing is a file that cannot be read any further.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, fmt.Errorf("the disk is gone") }
