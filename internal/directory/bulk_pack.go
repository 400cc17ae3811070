package directory

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"fmt"
	"io"
)

// packedVerdict is a RowVerdict as it is kept. Names are short and compressed with
// the block: a run of a million rows has a million of them.
type packedVerdict struct {
	Row     int64         `json:"r"`
	Line    int64         `json:"l,omitempty"`
	Verdict Verdict       `json:"v"`
	User    int64         `json:"u,omitempty"`
	Name    string        `json:"n,omitempty"`
	Changed []string      `json:"c,omitempty"`
	Faults  []packedFault `json:"f,omitempty"`
}

type packedFault struct {
	Field   string `json:"f,omitempty"`
	Reason  Reason `json:"r"`
	Message string `json:"m"`
}

// packVerdicts makes a block of verdicts, which are in order of rows and at least
// one.
func packVerdicts(rows []RowVerdict) (VerdictBlock, error) {
	packed := make([]packedVerdict, len(rows))
	for i := range rows {
		r := &rows[i]
		packed[i] = packedVerdict{Row: r.Row, Line: r.Line, Verdict: r.Verdict, User: r.User, Name: r.Name, Changed: r.Changed}
		for _, f := range r.Faults {
			packed[i].Faults = append(packed[i].Faults, packedFault(f))
		}
	}
	plain, err := json.Marshal(packed)
	if err == nil {
		plain, err = deflate(plain)
	}
	if err != nil {
		return VerdictBlock{}, fmt.Errorf("directory: pack verdicts: %w", err)
	}
	return VerdictBlock{FirstRow: rows[0].Row, LastRow: rows[len(rows)-1].Row, Data: plain}, nil
}

// unpackVerdicts reads a block.
func unpackVerdicts(block *VerdictBlock) ([]RowVerdict, error) {
	var packed []packedVerdict
	plain, err := inflate(block.Data, maxVerdictBlock)
	if err == nil {
		err = json.Unmarshal(plain, &packed)
	}
	if err != nil {
		return nil, fmt.Errorf("directory: verdicts of the rows from %d: %w", block.FirstRow, err)
	}
	rows := make([]RowVerdict, len(packed))
	for i := range packed {
		p := &packed[i]
		rows[i] = RowVerdict{Row: p.Row, Line: p.Line, Verdict: p.Verdict, User: p.User, Name: p.Name, Changed: p.Changed}
		for _, f := range p.Faults {
			rows[i].Faults = append(rows[i].Faults, FieldError(f))
		}
	}
	return rows, nil
}

// maxVerdictBlock is more than any block unpacks to.
const maxVerdictBlock = 64 << 20

// deflate compresses (RFC 1951), fast rather than tight.
func deflate(plain []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	return out.Bytes(), err
}

// inflate decompresses what grows to at most so many bytes.
func inflate(packed []byte, most int64) ([]byte, error) {
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), most+1))
	if err == nil && int64(len(plain)) > most {
		err = fmt.Errorf("more than %d bytes", most)
	}
	return plain, err
}

// noteRows writes the verdicts of the rows that follow those that are done, and
// counts them in the run, whose row the caller writes.
func noteRows(ctx context.Context, tx Tx, run *BulkRun, rows []RowVerdict) error {
	if len(rows) == 0 {
		return nil
	}
	block, err := packVerdicts(rows)
	if err != nil {
		return err
	}
	counts := make(map[Verdict]int64, len(run.Counts)+1)
	for verdict, n := range run.Counts {
		counts[verdict] = n
	}
	for i := range rows {
		counts[rows[i].Verdict]++
	}
	run.Counts = counts
	run.Done += int64(len(rows))
	return tx.InsertVerdicts(ctx, run.Tenant, run.ID, block)
}
