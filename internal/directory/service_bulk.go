package directory

import "context"

// NewBulk is the input of CreateBulk.
type NewBulk struct {
	Kind   BulkKind
	Name   string
	DryRun bool
	Import ImportOptions
	Deed   BulkDeed
}

// CreateBulk makes a run. One of BulkImport is BulkOpen until StartBulk, and gets its
// file by AddBulkPart; one of BulkAction waits at once. It is for administrators who
// are not bound to a company and whose credential may write users, and for an import
// set passwords. Errors: invalid with the field.
func (s *Service) CreateBulk(ctx context.Context, call *Call, in NewBulk) (BulkRun, error) {
	panic("CreateBulk")
}

// AddBulkPart adds part (from 0) to the file of an open run, at most MaxPart bytes;
// it is kept compressed and sealed until the run has ended. A part that is there
// with the same length is accepted again and changes nothing. Errors: bulk.not_found,
// bulk.state, bulk.part (the part does not follow), bulk.too_large.
func (s *Service) AddBulkPart(ctx context.Context, call *Call, id string, part int64, data []byte) (BulkRun, error) {
	panic("AddBulkPart")
}

// BulkThresholds are new thresholds for a run that stopped, in 100; 0 keeps one.
type BulkThresholds struct{ MaxChanges, MaxDeactivations int }

// StartBulk makes an open or stopped run wait for a server. Errors: bulk.not_found,
// bulk.state.
func (s *Service) StartBulk(ctx context.Context, call *Call, id string, t BulkThresholds) (BulkRun, error) {
	panic("StartBulk")
}

// CancelBulk ends a run; what was done stays. Errors: bulk.not_found, bulk.state.
func (s *Service) CancelBulk(ctx context.Context, call *Call, id string) (BulkRun, error) {
	panic("CancelBulk")
}

// Bulk reads a run. Errors: bulk.not_found.
func (s *Service) Bulk(ctx context.Context, call *Call, id string) (BulkRun, error) {
	panic("Bulk")
}

// Bulks lists the tenant's runs of a kind ("" for all), the newest first.
func (s *Service) Bulks(ctx context.Context, call *Call, kind BulkKind, cursor string, limit int) (BulkPage, error) {
	panic("Bulks")
}

// BulkVerdicts lists the verdicts of a run's rows. Errors: bulk.not_found,
// cursor.invalid, cursor.expired.
func (s *Service) BulkVerdicts(ctx context.Context, call *Call, id string, q VerdictQuery) (VerdictPage, error) {
	panic("BulkVerdicts")
}

// BulkPart reads a part of a run's file, for a server that works on it and for whoever
// asks for the rejected rows. Errors: bulk.not_found, also when the part is not there.
func (s *Service) BulkPart(ctx context.Context, call *Call, id string, part int64) ([]byte, error) {
	panic("BulkPart")
}

// FailBulk ends a run that cannot go on, because its file cannot be read: cause is
// what people are told. Only the server does it.
func (s *Service) FailBulk(ctx context.Context, call *Call, t TenantNo, id, cause string) (BulkRun, error) {
	panic("FailBulk")
}

// UndoRecords hands out, newest change first, the records of an undo file of a run:
// importing them takes back what the run did, as far as nobody has changed the same
// users since.
func (s *Service) UndoRecords(ctx context.Context, call *Call, id string, each func([]Record) error) error {
	panic("UndoRecords")
}

// ActBulk does the next page of an action, at most 100 users, in the name of who asked
// for it. It returns the run as it then is. Only the server does it.
func (s *Service) ActBulk(ctx context.Context, call *Call, t TenantNo, id string) (BulkRun, error) {
	panic("ActBulk")
}
