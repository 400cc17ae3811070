package canonical

import (
	"context"
	"net/http"
	"strconv"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// Import is a file of users on its way into the directory.
type Import struct {
	BulkRun
	DryRun    bool          `json:"dry_run" doc:"Nothing is changed: only the verdicts are made."`
	Bytes     int64         `json:"bytes" doc:"Of the file, as far as it was sent."`
	Parts     int64         `json:"parts" doc:"How many parts of the file were sent: the number of the next one."`
	PartBytes int64         `json:"part_bytes" doc:"How many bytes a part can have."`
	Options   importOptions `json:"options"`
}

// importOptions are what is done with the rows, as they are shown.
type importOptions struct {
	Format            string         `json:"format" enum:"csv,ndjson"`
	Columns           []ImportColumn `json:"columns" doc:"None: guessed from the first row."`
	Comma             string         `json:"comma"`
	Encoding          string         `json:"encoding"`
	Match             []string       `json:"match" doc:"None: the usual ones."`
	Existing          string         `json:"existing"`
	Company           int64          `json:"company" doc:"0: the tenant's default company."`
	Status            string         `json:"status"`
	Notify            bool           `json:"notify"`
	SharedEmail       bool           `json:"shared_email"`
	CreateMissing     bool           `json:"create_missing"`
	DeactivateMissing bool           `json:"deactivate_missing"`
	MaxChanges        int64          `json:"max_changes"`
	MaxDeactivations  int64          `json:"max_deactivations"`
}

// ImportColumn says what a column of a CSV file is.
type ImportColumn struct {
	Header string `json:"header" maxLength:"256" doc:"As the file has it."`
	Field  string `json:"field" maxLength:"256" doc:"A member of a user, attributes.x, phones.mobile or address.city; empty leaves the column out." example:"given_name"`
}

// columnsOf are columns of the core as they are shown, and columnsIn the other way.
func columnsOf(list []directory.ImportColumn) []ImportColumn {
	shown := make([]ImportColumn, 0, len(list))
	for _, c := range list {
		shown = append(shown, ImportColumn(c))
	}
	return shown
}

func columnsIn(list []ImportColumn) []directory.ImportColumn {
	var columns []directory.ImportColumn
	for _, c := range list {
		columns = append(columns, directory.ImportColumn(c))
	}
	return columns
}

// showImport is an import of the core as it is shown.
func (d *door) showImport(r *directory.BulkRun) Import {
	o := &r.Import
	return Import{BulkRun: bulkRunOf(r), DryRun: r.DryRun, Bytes: r.Bytes, Parts: r.Parts, PartBytes: d.partBytes(), Options: importOptions{
		Format: string(o.Format), Columns: columnsOf(o.Columns), Comma: o.Comma, Encoding: o.Encoding, Match: append([]string{}, o.Match...),
		Existing: string(o.Existing), Company: o.Company, Status: string(o.Status), Notify: o.Notify, SharedEmail: o.SharedEmail,
		CreateMissing: o.CreateMissing, DeactivateMissing: o.DeactivateMissing, MaxChanges: int64(o.MaxChanges), MaxDeactivations: int64(o.MaxDeactivations)}}
}

// partBytes is the greatest length of a part: the core's, or that of any body.
func (d *door) partBytes() int64 { return min(d.opts.MaxBody, directory.MaxPart) }

// ImportPath is the parameter of an import.
type ImportPath struct {
	Import string `path:"import" example:"0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31" doc:"The import's id, a UUID; anything else is unknown."`
}

// exampleImport is the id of no import: ids of imports are drawn.
const exampleImport = "/imports/0190d4a2-7b5e-7c3a-9d84-0c2f6f1b8a31"

// registerImports adds imports.
func registerImports(d *door) {
	const tag, path = "imports", "/imports/{import}"
	missing := func(rest, body string) []example {
		return []example{{name: "no such import", path: exampleImport + rest, body: body, status: http.StatusNotFound}}
	}
	register(d, operation{id: "create_import", method: http.MethodPost, path: "/imports", tag: tag, summary: "Create an import",
		description: "Send the file with `PUT …/parts/{part}`, then start it. The server does it beside the requests, in the caller's name and with the rights that the caller has then; each row has a verdict, and a row is never done twice.",
		status:      http.StatusCreated, creates: true,
		examples: []example{{name: "a dry run", body: `{"name":"users.csv","format":"csv","dry_run":true}`},
			{name: "leavers are deactivated", body: `{"name":"staff.csv","format":"csv","columns":[{"header":"Login","field":"user_name"},{"header":"Mail","field":"email"}],"match":["employee_number"],"deactivate_missing":true,"max_deactivations":5}`}}}, createImport)
	register(d, operation{id: "guess_columns", method: http.MethodPost, path: "/imports/columns", tag: tag, summary: "Guess the columns of a file",
		description: "What the columns of a CSV file are, by the names that its first row has.",
		examples:    []example{{name: "a header", body: `{"header":["Login","First Name","E-Mail","Shoe size"]}`}}}, guessColumns)
	never(d, http.MethodPost, "/imports/columns", http.StatusForbidden) // it tells nothing of the directory
	register(d, operation{id: "list_imports", method: http.MethodGet, path: "/imports", tag: tag, summary: "List imports", description: "The newest first. Those that ended are kept for 30 days.",
		examples: []example{{name: "imports"}}},
		func(ctx context.Context, x *exchange, in *PageQuery) (*pageOutput[Import], error) {
			list, err := x.door.svc.Bulks(ctx, &x.call, directory.BulkImport, in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			return treePage(directory.Page[directory.BulkRun]{Items: list.Runs, Next: list.Next}, false, x.door.showImport), nil
		})
	register(d, operation{id: "get_import", method: http.MethodGet, path: path, tag: tag, summary: "Read an import", description: "How far it is.", examples: missing("", "")},
		func(ctx context.Context, x *exchange, in *struct{ ImportPath }) (*made[Import], error) {
			return x.importAnswer(imports.read(ctx, x, in.Import))
		})
	registerParts(d, path)
	register(d, operation{id: "start_import", method: http.MethodPost, path: path + "/start", tag: tag, summary: "Start an import",
		description: "The whole file was sent; or the import stopped at a threshold, and goes on with higher ones where they are given.", examples: missing("/start", `{"max_deactivations":20}`)}, startImport)
	register(d, operation{id: "cancel_import", method: http.MethodPost, path: path + "/cancel", tag: tag, summary: "Cancel an import", description: "What was done stays.", examples: missing("/cancel", "")},
		func(ctx context.Context, x *exchange, in *struct{ ImportPath }) (*made[Import], error) {
			return x.importAnswer(imports.of(x.door.svc.CancelBulk(ctx, &x.call, in.Import)))
		})
	register(d, operation{id: "list_import_verdicts", method: http.MethodGet, path: path + "/verdicts", tag: tag, summary: "What became of each row",
		description: "In the order of the file; of a dry run what would become of it.", examples: missing("/verdicts", "")},
		func(ctx context.Context, x *exchange, in *struct {
			ImportPath
			VerdictQuery
		}) (*pageOutput[RowVerdict], error) {
			p, err := x.door.svc.BulkVerdicts(ctx, &x.call, in.Import, in.core())
			if err != nil {
				return nil, err
			}
			return verdictPage(&p), nil
		})
	registerImportFiles(d, path)
}

// importAnswer answers with an import.
func (x *exchange) importAnswer(r *directory.BulkRun, err error) (*made[Import], error) {
	if err != nil {
		return nil, err
	}
	return &made[Import]{Body: x.door.showImport(r)}, nil
}

func createImport(ctx context.Context, x *exchange, in *struct {
	Body struct {
		Name              string         `json:"name,omitempty" maxLength:"200" doc:"Of the file."`
		DryRun            bool           `json:"dry_run,omitempty" doc:"Changes nothing: only the verdicts are made."`
		Format            string         `json:"format" enum:"csv,ndjson" doc:"ndjson is what exports and undo files are: a JSON object a line."`
		Columns           []ImportColumn `json:"columns,omitempty" maxItems:"500" doc:"Of CSV; guessed from the first row if left out."`
		Comma             string         `json:"comma,omitempty" maxLength:"1" doc:"Separates the columns of CSV: a comma, a semicolon, a tab or a bar; guessed if left out." example:";"`
		Encoding          string         `json:"encoding,omitempty" enum:"utf-8,latin1,windows-1252" doc:"Of a file without a byte order mark; UTF-8 if left out."`
		Match             []string       `json:"match,omitempty" maxItems:"9" doc:"Members by which a row finds its user, in this order: the first that the row has and somebody holds decides." example:"[\"id\",\"employee_number\"]"`
		Existing          string         `json:"existing,omitempty" enum:"update,skip,conflict" doc:"What is done with a row whose user is there; update if left out."`
		Company           int64          `json:"company,omitempty" minimum:"1" maximum:"2147483647" doc:"Where new users go whose rows name no company, and the subtree of deactivate_missing."`
		Status            string         `json:"status,omitempty" enum:"staged,active,inactive" doc:"Of new users whose rows name none; active if left out."`
		Notify            bool           `json:"notify,omitempty" doc:"New users are mailed their user name."`
		SharedEmail       bool           `json:"shared_email,omitempty" doc:"Keeps an address that another user signs in with, instead of refusing the row."`
		CreateMissing     bool           `json:"create_missing,omitempty" doc:"Makes companies, groups and roles without rank that rows name and that are not there."`
		DeactivateMissing bool           `json:"deactivate_missing,omitempty" doc:"Deactivates, after the last row, the active users that no row was about."`
		MaxChanges        int            `json:"max_changes,omitempty" minimum:"0" maximum:"100" doc:"Stops an import that would change more of 100 users; 100 if left out."`
		MaxDeactivations  int            `json:"max_deactivations,omitempty" minimum:"0" maximum:"100" doc:"Stops an import that would deactivate more of 100 users; 10 if left out."`
	} `nameHint:"ImportInput"`
}) (*made[Import], error) {
	show := func(r directory.BulkRun) (Import, string, int64) { return x.door.showImport(&r), "/imports/" + r.ID, 0 }
	creates(x, show)
	b := &in.Body
	r, err := x.door.svc.CreateBulk(ctx, &x.call, directory.NewBulk{Kind: directory.BulkImport, Name: b.Name, DryRun: b.DryRun, Import: directory.ImportOptions{
		Format: directory.BulkFormat(b.Format), Columns: columnsIn(b.Columns), Comma: b.Comma, Encoding: b.Encoding, Match: b.Match,
		Existing: directory.OnExisting(b.Existing), Company: b.Company, Status: directory.State(b.Status), Notify: b.Notify, SharedEmail: b.SharedEmail,
		CreateMissing: b.CreateMissing, DeactivateMissing: b.DeactivateMissing, MaxChanges: b.MaxChanges, MaxDeactivations: b.MaxDeactivations}})
	if err != nil {
		return nil, bodyOfBulk(err)
	}
	body, path, _ := show(r)
	x.setLocation(path)
	return &made[Import]{Body: body}, nil
}

// startInput are new thresholds; the body may be left out.
type startInput struct {
	ImportPath
	Body *struct {
		MaxChanges       int `json:"max_changes,omitempty" minimum:"1" maximum:"100"`
		MaxDeactivations int `json:"max_deactivations,omitempty" minimum:"1" maximum:"100"`
	} `nameHint:"ImportThresholds"`
}

func startImport(ctx context.Context, x *exchange, in *startInput) (*made[Import], error) {
	var t directory.BulkThresholds
	if in.Body != nil {
		t = directory.BulkThresholds{MaxChanges: in.Body.MaxChanges, MaxDeactivations: in.Body.MaxDeactivations}
	}
	return x.importAnswer(imports.of(x.door.svc.StartBulk(ctx, &x.call, in.Import, t)))
}

func guessColumns(ctx context.Context, x *exchange, in *struct {
	Body struct {
		Header []string `json:"header" minItems:"1" maxItems:"500"`
	} `nameHint:"FileHeader"`
}) (*listOutput[ImportColumn], error) {
	if err := x.door.svc.Admit(ctx, &x.call); err != nil {
		return nil, err
	}
	return listAnswer(columnsOf(directory.GuessColumns(in.Body.Header))), nil
}

// contentBytes is the media type of a part of a file.
const contentBytes = "application/octet-stream"

// registerParts adds how a file is sent.
func registerParts(d *door, path string) {
	plain[struct {
		ImportPath
		Part    int64  `path:"part" example:"0" doc:"From 0, without gaps."`
		RawBody []byte `contentType:"application/octet-stream"`
	}, struct{ Body Import }](d, operation{id: "put_import_part", method: http.MethodPut, path: path + "/parts/{part}", tag: "imports", summary: "Send a part of the file",
		description: "The bytes of the file, `part_bytes` of the import at most. A part that is there with the same bytes is accepted again and changes nothing, so that a broken transfer goes on with `parts` of the import.",
		status:      http.StatusOK, examples: []example{{name: "no such import", path: exampleImport + "/parts/0", body: "user_name,email\r\n", status: http.StatusNotFound}}}, putPart)
}

// putPart is a plain handler: the body is no JSON.
func putPart(x *exchange) (web.Response, error) {
	part, err := strconv.ParseInt(x.param("part"), 10, 32)
	if err != nil || part < 0 {
		return web.Response{}, x.refuse(directory.Wrong(directory.CodeNotFound, directory.ReasonRouteNotFound, "There is no such part."))
	}
	r, err := imports.of(x.door.svc.AddBulkPart(x.req.Context(), &x.call, x.param("import"), part, x.body))
	if err != nil {
		return web.Response{}, err
	}
	body, err := encode(x.door.showImport(r))
	return web.Response{Status: http.StatusOK, ContentType: contentJSON, Body: body}, err
}
