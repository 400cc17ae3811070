package imports

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/bulk"
	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// choice is an option of a select.
type choice struct{ Value, Text string }

var existing = []choice{{string(directory.ExistingUpdate), "update them where the file differs"}, {string(directory.ExistingSkip), "leave them as they are"}, {string(directory.ExistingConflict), "reject the row"}}
var statuses = []choice{{"", "active"}, {string(directory.StateStaged), "staged"}, {string(directory.StateInactive), "inactive"}}

// column is a column of the file and what it is taken for.
type column struct {
	directory.ImportColumn
	Example string
	Fields  []choice
}

// optionsView is the form in which somebody says what is done with a file.
type optionsView struct {
	Run       directory.BulkRun
	Columns   []column
	Options   directory.ImportOptions
	Match     string
	Encodings []choice
	Existing  []choice
	Statuses  []choice
	Reason    string
	Faults    page.Faults
	Unread    string // why the file cannot be read
}

func (p *pages) showOptions(r *page.Request) (web.Response, error) {
	run, err := r.Kit.Service.Bulk(r.Context(), r.Call(), r.PathValue("id"))
	if err != nil {
		return web.Response{}, err
	}
	v := optionsView{Run: run, Options: run.Import, Match: strings.Join(run.Import.Match, ", "), Reason: run.Reason}
	if encoding := r.URL.Query().Get("encoding"); encoding != "" {
		v.Options.Encoding = encoding
	}
	return p.optionsWith(r, v)
}

// optionsWith shows the form with the file's columns.
func (p *pages) optionsWith(r *page.Request, v optionsView) (web.Response, error) {
	v.Existing, v.Statuses = existing, statuses
	v.Encodings = []choice{{"", "found out from the file"}}
	for _, e := range bulk.Encodings() {
		v.Encodings = append(v.Encodings, choice{e, e})
	}
	if v.Options.Format == directory.BulkCSV {
		if err := v.look(r); err != nil {
			return web.Response{}, err
		}
	}
	view := page.View{Title: "Import " + v.Run.Name, Section: "imports", Data: v, Crumbs: crumbs}
	if v.Faults.Any() {
		view.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.options, view)
}

// look reads the columns of the file, and guesses what they are where nobody has said.
func (v *optionsView) look(r *page.Request) error {
	head, err := headOf(r, v.Run.ID)
	if err != nil {
		return err
	}
	look, err := bulk.LookAt(head, v.Options)
	if bad := (*bulk.FileError)(nil); errors.As(err, &bad) && len(look.Header) == 0 {
		v.Unread = bad.Error()
		return nil
	} else if err != nil && bad == nil {
		return err
	}
	columns := v.Options.Columns
	if len(columns) != len(look.Header) {
		columns = directory.GuessColumns(look.Header)
	}
	for i, c := range columns {
		v.Columns = append(v.Columns, column{ImportColumn: c, Example: look.Example[i], Fields: fieldsFor(c.Field)})
	}
	return nil
}

// fieldsFor are the choices for a column, one that is a part of a field among them.
func fieldsFor(have string) []choice {
	list := []choice{{"", "leave it out"}}
	fields := directory.ImportFields()
	if have != "" && !slices.Contains(fields, have) {
		fields = append(fields, have)
	}
	for _, part := range []string{"phones.mobile", "phones.work", "phones.home", "address.line1", "address.line2", "address.city", "address.region", "address.zip", "address.country"} {
		if part != have {
			fields = append(fields, part)
		}
	}
	slices.Sort(fields)
	for _, f := range fields {
		list = append(list, choice{f, f})
	}
	return list
}

// read reads the form as it was sent.
func (v *optionsView) read(r *page.Request) {
	o := &v.Options
	v.Faults, v.Match, v.Reason = page.Faults{}, r.Value("match"), strings.TrimSpace(r.Value("reason"))
	o.Encoding, o.Existing, o.Status = r.Value("encoding"), directory.OnExisting(r.Value("existing")), directory.State(r.Value("status"))
	o.CreateMissing, o.DeactivateMissing, o.Notify = r.Value("create_missing") != "", r.Value("deactivate_missing") != "", r.Value("notify") != ""
	o.Match = strings.Fields(strings.ReplaceAll(v.Match, ",", " "))
	number := func(name string, to *int) {
		text := strings.TrimSpace(r.Value(name))
		if n, err := strconv.Atoi(text); err == nil {
			*to = n
		} else if *to = 0; text != "" {
			v.Faults[name] = "Give a whole number."
		}
	}
	company := 0
	number("company", &company)
	o.Company = int64(company)
	number("max_changes", &o.MaxChanges)
	number("max_deactivations", &o.MaxDeactivations)
	form, _ := r.Form() // was read when its proof was checked
	o.Columns = nil
	for i, header := range form["header"] {
		if i < len(form["field"]) {
			o.Columns = append(o.Columns, directory.ImportColumn{Header: header, Field: form["field"][i]})
		}
	}
}

// start makes a run of the file with what was chosen, and starts it. The file of a run
// that was only sent or only tried is taken over.
func (p *pages) start(r *page.Request) (web.Response, error) {
	source, err := r.Kit.Service.Bulk(r.Context(), r.Call(), r.PathValue("id"))
	if err != nil {
		return web.Response{}, err
	}
	v := optionsView{Run: source, Options: source.Import, Reason: source.Reason}
	if r.Value("as_tried") == "" {
		v.read(r)
	}
	if v.Faults.Any() {
		return p.optionsWith(r, v)
	}
	call := r.Call()
	call.Reason = v.Reason
	run, err := r.Kit.Service.CreateBulk(r.Context(), call, directory.NewBulk{Kind: directory.BulkImport, Name: source.Name, DryRun: r.Value("do") != "import", Import: v.Options})
	if err != nil {
		var ok bool
		if v.Faults, ok = page.FaultsOf(err, nil); !ok {
			return web.Response{}, err
		}
		return p.optionsWith(r, v)
	}
	if err := copyFile(r, &source, run.ID); err != nil {
		_, _ = r.Kit.Service.CancelBulk(r.Context(), r.Call(), run.ID)
		return web.Response{}, err
	}
	if _, err := r.Kit.Service.StartBulk(r.Context(), r.Call(), run.ID, directory.BulkThresholds{}); err != nil {
		return web.Response{}, err
	}
	if source.State == directory.BulkOpen {
		// Its file has been taken over: what is left of it goes with the next sweep too.
		_, _ = r.Kit.Service.CancelBulk(r.Context(), r.Call(), source.ID)
	}
	return r.Redirect("/imports/" + run.ID), nil
}

// copyFile gives a run the file of another.
func copyFile(r *page.Request, from *directory.BulkRun, to string) error {
	for part := range from.Parts {
		data, err := r.Kit.Service.BulkPart(r.Context(), r.Call(), from.ID, part)
		if err != nil {
			return err
		}
		if _, err := r.Kit.Service.AddBulkPart(r.Context(), r.Call(), to, part, data); err != nil {
			return err
		}
	}
	return nil
}
