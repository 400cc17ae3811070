package canonical

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-id/usher/internal/bulk"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// The media types of files. That of a JSON object a line is a custom: it has no
// registration.
const (
	contentCSV    = "text/csv; charset=utf-8"
	contentNDJSON = "application/x-ndjson"
)

// formatSCIM is the format of an export that another door writes: a User resource of
// RFC 7643 a line.
const formatSCIM = "scim"

// ExportQuery are the parameters of an export.
type ExportQuery struct {
	Format  string   `query:"format" enum:"csv,ndjson,scim" default:"csv" doc:"csv; ndjson: an object a line, with everything that an import reads but passwords; scim: a User resource a line."`
	Fields  string   `query:"fields" doc:"Only these members, in this order, separated by commas; for csv also attributes.x, phones.mobile and address.city. Not for scim." example:"id,user_name,email"`
	Filter  string   `query:"filter" maxLength:"8192" doc:"As of the list of users." example:"family_name sw \"Sm\""`
	Search  string   `query:"q" doc:"As of the list of users." example:"sam smith"`
	Company int64    `query:"company" minimum:"1" maximum:"2147483647" doc:"As of the list of users."`
	Group   []string `query:"group,explode" doc:"As of the list of users."`
	Status  string   `query:"status" doc:"As of the list of users." example:"active,inactive"`
}

// registerExport adds the export of users.
func registerExport(d *door) {
	const path = "/users/export"
	plain[ExportQuery, struct{ Body string }](d, operation{id: "export_users", method: http.MethodGet, path: path, tag: "users", summary: "Export users",
		description: "All users that the parameters select, in order of their numbers, as a stream; of any number. A cell of CSV that a spreadsheet would take for a formula has ' before it, which an import takes away again. An answer that breaks off is not whole: it ends without its last chunk.",
		status:      http.StatusOK, examples: []example{{name: "a list for a spreadsheet", path: "/users/export?fields=user_name,email,status&company=14146"},
			{name: "everything that an import reads", path: "/users/export?format=ndjson&q=sam%20smith"}}}, exportUsers)
	described := d.registered(http.MethodGet, prefix+path)
	text := &huma.Schema{Type: huma.TypeString}
	described.Responses["200"].Content = map[string]*huma.MediaType{contentCSV: {Schema: text}, contentNDJSON: {Schema: text}}
	described.Responses["200"].Headers["Content-Disposition"] = fileHeader()
}

func fileHeader() *huma.Param {
	return &huma.Header{Description: "A name for the file (RFC 6266).", Schema: &huma.Schema{Type: huma.TypeString, Pattern: `^attachment; filename="[^"]+"$`}}
}

// exportUsers is a plain handler: it streams.
func exportUsers(x *exchange) (web.Response, error) {
	q, err := x.userQuery()
	format, fields := "csv", []string(nil)
	if err == nil && x.query != nil {
		if x.query.Has("format") {
			format = x.query.Get("format")
		}
		if text := x.query.Get("fields"); text != "" {
			fields = strings.Split(text, ",")
		}
		err = x.checkExport(format, fields)
	}
	if err != nil {
		return web.Response{}, x.refuse(err)
	}
	media, ending := contentNDJSON, "ndjson"
	if format == string(directory.BulkCSV) {
		media, ending = contentCSV, "csv"
	}
	response := file(media, "users."+ending)
	if x.req.Method == http.MethodHead {
		q.Limit, q.WantCursor = 1, false
		_, err := x.door.svc.Users(x.req.Context(), &x.call, q)
		return response, err
	}
	response.Stream = func(ctx context.Context, s *web.Stream) error {
		return x.sendFile(ctx, s, func(w io.Writer) error {
			out, err := x.exportWriter(w, format, fields)
			if err != nil {
				return err
			}
			return bulk.WriteRecords(out, func(each func([]directory.Record) error) error {
				return x.door.svc.ExportUsers(ctx, &x.call, q, bulk.Includes(fields), each)
			})
		})
	}
	return response, nil
}

// checkExport refuses a format and fields that there are not.
func (x *exchange) checkExport(format string, fields []string) error {
	if format == formatSCIM && x.door.opts.SCIM != nil {
		if len(fields) > 0 {
			return badQuery("fields", "fields is not for the format scim.")
		}
		return nil
	}
	if format != string(directory.BulkCSV) && format != string(directory.BulkNDJSON) {
		return badQuery("format", "format takes csv, ndjson or scim.")
	}
	if err := bulk.CheckFields(directory.BulkFormat(format), fields); err != nil {
		return badQuery("fields", directory.AsError(err).Message)
	}
	return nil
}

// exportWriter is what writes a format.
func (x *exchange) exportWriter(w io.Writer, format string, fields []string) (bulk.Writer, error) {
	if format == formatSCIM {
		return x.door.opts.SCIM(w), nil
	}
	return bulk.NewWriter(w, directory.BulkFormat(format), fields)
}

// file is an answer that is a file.
func file(media, name string) web.Response {
	return web.Response{Status: http.StatusOK, ContentType: media, Header: [][2]string{{"Cache-Control", "no-store"}, disposition(name)}}
}

// disposition is the header that names a file (RFC 6266).
func disposition(name string) [2]string {
	return [2]string{"Content-Disposition", `attachment; filename="` + name + `"`}
}

// sendFile streams a file. An error before its first byte is answered as any other; a
// later one cuts the connection, so that nobody takes a part for the whole.
func (x *exchange) sendFile(ctx context.Context, s *web.Stream, write func(io.Writer) error) error {
	out := bufio.NewWriterSize(&fileWriter{x: x, s: s}, sentAtOnce)
	err := write(out)
	switch {
	case err != nil && (s.Begun() || ctx.Err() != nil):
		return err
	case err != nil:
		return x.failed(err)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if !s.Begun() { // an empty file
		x.begin(s)
	}
	return nil
}

// sentAtOnce is how many bytes of a file are sent at a time.
const sentAtOnce = 64 << 10

// begin puts the limits of requests on a stream, which are known once the core was
// asked.
func (x *exchange) begin(s *web.Stream) {
	x.record()
	for _, h := range x.door.limitHeaders(nil, x.call.Quota) {
		s.SetHeader(h[0], h[1])
	}
}

// fileWriter begins the answer with the first bytes.
type fileWriter struct {
	x *exchange
	s *web.Stream
}

// Write implements io.Writer.
func (w *fileWriter) Write(b []byte) (int, error) {
	if !w.s.Begun() {
		w.x.begin(w.s)
	}
	return w.s.Write(b)
}

// registerImportFiles adds the files that come of an import.
func registerImportFiles(d *door, path string) {
	for _, f := range []struct {
		id, name, summary, description string
		serve                          func(*exchange) (web.Response, error)
	}{
		{"get_rejected_rows", "rejected", "The rows that were not taken", "In the format of the file, to be corrected and imported again: CSV has the columns usher_line, usher_verdict, usher_field and usher_reason beside, which an import passes over. The file of an import is kept for 7 days after its end where it has such rows.", rejectedRows},
		{"get_undo_file", "undo", "A file that takes the import back", "Importing it takes back what the import did, as far as nobody has changed the same users since.", undoFile},
	} {
		at := path + "/" + f.name
		plain[struct{ ImportPath }, struct{ Body string }](d, operation{id: f.id, method: http.MethodGet, path: at, tag: "imports", summary: f.summary, description: f.description,
			status: http.StatusOK, examples: []example{{name: "no such import", path: exampleImport + "/" + f.name, status: http.StatusNotFound}}}, f.serve)
		responses := d.registered(http.MethodGet, prefix+at).Responses
		if f.name == "undo" { // of an import that has not ended
			responses["409"] = &huma.Response{Ref: "#/components/responses/409"}
		}
		described := responses["200"]
		text := d.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[string](), false, "")
		described.Content = map[string]*huma.MediaType{contentNDJSON: {Schema: text}}
		if f.name == "rejected" {
			described.Content[contentCSV] = &huma.MediaType{Schema: text}
		}
		described.Headers["Content-Disposition"] = fileHeader()
	}
}

// rejectedRows is a plain handler: it streams. The rows are joined with their
// verdicts, page by page.
func rejectedRows(x *exchange) (web.Response, error) {
	id := x.param("import")
	response := web.Response{Status: http.StatusOK, ContentType: contentNDJSON, Header: [][2]string{{"Cache-Control", "no-store"}}}
	return x.fileAnswer(response, id, func(ctx context.Context, s *web.Stream, w io.Writer) error {
		return bulk.WriteRejected(ctx, x.door.svc, x.calls(), id, w, func(r *directory.BulkRun) {
			named := disposition("rejected." + string(r.Import.Format))
			s.SetHeader(named[0], named[1])
			if r.Import.Format == directory.BulkCSV {
				s.SetContentType(contentCSV)
			}
		})
	})
}

// calls are those of an answer that takes several: all of them count as one.
func (x *exchange) calls() func() *directory.Call {
	begun := false
	return func() *directory.Call {
		if begun {
			return x.call.Part()
		}
		begun = true
		return &x.call
	}
}

// undoFile is a plain handler: it streams.
func undoFile(x *exchange) (web.Response, error) {
	id := x.param("import")
	return x.fileAnswer(file(contentNDJSON, "undo.ndjson"), id, func(ctx context.Context, _ *web.Stream, w io.Writer) error {
		out, err := bulk.NewWriter(w, directory.BulkNDJSON, nil)
		if err != nil {
			return err
		}
		return bulk.WriteRecords(out, func(each func([]directory.Record) error) error { return x.door.svc.UndoRecords(ctx, &x.call, id, each) })
	})
}

// fileAnswer answers with a file of an import.
func (x *exchange) fileAnswer(response web.Response, id string, write func(context.Context, *web.Stream, io.Writer) error) (web.Response, error) {
	if x.req.Method == http.MethodHead {
		_, err := imports.read(x.req.Context(), x, id)
		return response, err
	}
	response.Stream = func(ctx context.Context, s *web.Stream) error {
		return x.sendFile(ctx, s, func(w io.Writer) error { return write(ctx, s, w) })
	}
	return response, nil
}
