package imports

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"strings"

	"github.com/usher-id/usher/internal/bulk"
	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

type listView struct {
	Runs []directory.BulkRun
	Next string
}

func (p *pages) showList(r *page.Request) (web.Response, error) {
	list, err := r.Kit.Service.Bulks(r.Context(), r.Call(), directory.BulkImport, r.URL.Query().Get("cursor"), 50)
	if err != nil {
		return web.Response{}, err
	}
	v := listView{Runs: list.Runs}
	if list.Next != "" {
		v.Next = page.Link("/imports", "cursor", list.Next)
	}
	return r.Page(p.list, page.View{Title: "Imports", Section: "imports", Data: v})
}

func (p *pages) showSend(r *page.Request) (web.Response, error) { return p.sendWith(r, nil) }

func (p *pages) sendWith(r *page.Request, faults page.Faults) (web.Response, error) {
	v := page.View{Title: "New import", Section: "imports", Data: faults, Crumbs: crumbs}
	if faults.Any() {
		v.Status = http.StatusUnprocessableEntity
	}
	return r.Page(p.send, v)
}

var crumbs = []page.Crumb{{Text: "Imports", Path: "/imports"}}

// receive takes a file part by part into a run that is not started.
func (p *pages) receive(r *page.Request, parts *multipart.Reader) (web.Response, error) {
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return p.sendWith(r, page.Faults{"file": "Choose a file."})
		}
		if err != nil {
			return web.Response{}, directory.Invalid("file", directory.ReasonFieldValue, "The file did not arrive as a whole: try again.")
		}
		if part.FormName() == "file" {
			return p.take(r, part)
		}
	}
}

// take keeps the file of a form.
func (p *pages) take(r *page.Request, part *multipart.Part) (web.Response, error) {
	block := make([]byte, directory.MaxPart)
	n, err := io.ReadFull(part, block)
	if n == 0 {
		return p.sendWith(r, page.Faults{"file": "The file is empty, or none was chosen."})
	}
	name := path.Base(strings.ReplaceAll(part.FileName(), `\`, "/"))
	run, failed := r.Kit.Service.CreateBulk(r.Context(), r.Call(), directory.NewBulk{Kind: directory.BulkImport, Name: name, DryRun: true,
		Import: directory.ImportOptions{Format: bulk.GuessFormat(block[:n])}})
	for number := int64(0); failed == nil && n > 0; number++ {
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			failed = directory.Invalid("file", directory.ReasonFieldValue, "The file did not arrive as a whole: try again.")
			break
		}
		if _, failed = r.Kit.Service.AddBulkPart(r.Context(), r.Call(), run.ID, number, block[:n]); failed == nil {
			n, err = io.ReadFull(part, block)
		}
	}
	if failed == nil {
		return r.Redirect("/imports/" + run.ID + "/options"), nil
	}
	if run.ID != "" { // what has come of it is of no use
		_, _ = r.Kit.Service.CancelBulk(r.Context(), r.Call(), run.ID)
	}
	faults, ok := page.FaultsOf(failed, map[string]string{"name": "file"})
	if !ok {
		return web.Response{}, failed
	}
	return p.sendWith(r, faults)
}

// headOf is the beginning of a run's file.
func headOf(r *page.Request, id string) (io.Reader, error) {
	part, err := r.Kit.Service.BulkPart(r.Context(), r.Call(), id, 0)
	return bytes.NewReader(part), err
}
