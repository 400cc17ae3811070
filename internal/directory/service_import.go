package directory

import "context"

// MaxImportPage is how many records ImportPage takes at a time.
const MaxImportPage = 500

// ImportPage gives the next records of an import their verdicts and, unless it is a
// dry run, does what they say, with the note of how far the run is in the same
// transaction: in the name of who asked for it, with the rights that they have now.
// done is how many rows were done before this page; when the run is elsewhere, nothing
// is done and the run is returned as it is. Only the server does it. Errors: those of
// the store; whatever is wrong with a record is its verdict.
func (s *Service) ImportPage(ctx context.Context, call *Call, t TenantNo, id string, done int64, page []Record) (BulkRun, []RowVerdict, error) {
	panic("ImportPage")
}

// EndImport does what follows the last record, page by page (DeactivateMissing), and
// ends the run: it is called until the run has ended. Only the server does it.
func (s *Service) EndImport(ctx context.Context, call *Call, t TenantNo, id string) (BulkRun, error) {
	panic("EndImport")
}

// GuessColumns maps the header of a CSV file: names in any letter case, with or
// without blanks, underscores and dashes, those that vendors' exports use among them.
// A column that nothing is known of has no field.
func GuessColumns(header []string) []ImportColumn { panic("GuessColumns") }

// CheckColumns refuses unknown fields and fields that two columns have. Errors:
// invalid with the field "columns".
func CheckColumns(columns []ImportColumn) error { panic("CheckColumns") }

// RecordOf reads the cells of a row by its columns; what cannot be read becomes a
// fault of the record. An empty cell says nothing.
func RecordOf(columns []ImportColumn, cells []string, line int64) Record { panic("RecordOf") }
