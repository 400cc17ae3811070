package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// sameOptions compare what a store returns with what it was given.
var sameOptions = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.FilterValues(func(a, b json.RawMessage) bool { return len(a)+len(b) > 0 }, cmp.Comparer(sameJSON)),
}

// sameJSON reports whether two JSON texts have the same tokens in the same
// order: a store may change blanks and escapes, but no digit of a number and
// no order of keys. What is not JSON is compared byte by byte.
func sameJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	left, errLeft := tokens(a)
	right, errRight := tokens(b)
	return errLeft == nil && errRight == nil && cmp.Equal(left, right)
}

func tokens(text []byte) ([]any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var all []any
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, tok)
	}
}
