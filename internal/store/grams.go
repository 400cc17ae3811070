package store

import (
	"context"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// SQLite's search index holds for every gram, which is a text of gramSizes
// runes in a row, a list of the users whose search document has it, and no
// positions (docs/decisions/0011). Lists of long grams are about as long as the
// matches of a term: those of three letters are in several of a hundred users.

// The lengths of grams in runes.
const (
	leastGram    = 3 // the shortest phrase of directory.SearchPhrase
	greatestGram = 5
	// mostGrams is how many grams are asked for of one phrase. Each is a list to
	// walk; more of them hardly exclude anybody.
	mostGrams = 4
)

// gramDocument makes the text that FTS5 splits into tokens: every gram of a
// search document. No phrase goes from line to line. The last line holds the
// beginnings of words behind marks, of which only what SearchPhrase asks for is
// needed.
func gramDocument(document string) string {
	d := gramWriter{tokens: make([]byte, 0, 10*len(document))}
	end := strings.LastIndexByte(document, '\n')
	text, beginnings := document[:end], document[end+1:]
	for line := range strings.SplitSeq(text, "\n") {
		for size := leastGram; size <= greatestGram; size++ {
			for gram := range runsOf(line, size) {
				d.add(gram)
			}
		}
	}
	for gram := range runsOf(beginnings, leastGram) {
		if gram[len(gram)-1] >= ' ' {
			d.add(gram)
		}
	}
	return string(d.tokens)
}

// gramWriter writes tokens. The names of a user are in the user name and that
// is in the address: most repetitions are left out. The others cost a little
// time and no space, since FTS5 lists a user once.
type gramWriter struct {
	tokens []byte
	recent [256]uint64 // the last gram of up to eight bytes with each hash
}

func (d *gramWriter) add(gram string) {
	if len(gram) <= 8 {
		var key uint64
		for i := range len(gram) {
			key = key<<8 | uint64(gram[i])
		}
		const golden = 0x9E3779B97F4A7C15 // 2^64 over the golden ratio: multiplicative hashing
		slot := &d.recent[key*golden>>56]
		if *slot == key {
			return
		}
		*slot = key
	}
	d.tokens = appendToken(append(d.tokens, ' '), gram)
}

// runsOf are all texts of n runes in a row.
func runsOf(text string, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		end := 0
		for range n {
			if end == len(text) {
				return
			}
			end += runeSize(text[end:])
		}
		for from := 0; yield(text[from:end]) && end < len(text); {
			from += runeSize(text[from:])
			end += runeSize(text[end:])
		}
	}
}

func runeSize(text string) int {
	if text[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(text)
	return n
}

// appendToken appends a gram as one token of the tokenizer "ascii", which takes
// letters, digits and all bytes above ASCII for parts of tokens and folds
// capitals. Any other character of ASCII becomes the two bytes that would be
// its overlong form in UTF-8 and that no valid text has (RFC 3629, section 3),
// so that different grams stay different tokens.
func appendToken(tokens []byte, gram string) []byte {
	for i := range len(gram) {
		c := gram[i]
		if c >= utf8.RuneSelf || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
			tokens = append(tokens, c)
		} else {
			tokens = append(tokens, 0xC0|c>>6, utf8.RuneSelf|c&0x3F)
		}
	}
	return tokens
}

// gramsOf are grams of a phrase of at least leastGram runes that its documents
// all have: its beginning, its end and some between them. exact reports that
// the documents which have them are just those that contain the phrase.
func gramsOf(phrase string) (grams []string, exact bool) {
	runes := utf8.RuneCountInString(phrase)
	if runes <= greatestGram {
		return []string{phrase}, true
	}
	last := runes - greatestGram // where the last gram begins
	between := min((runes-1)/greatestGram, mostGrams-1)
	n, next := 0, 0
	for gram := range runsOf(phrase, greatestGram) {
		if n == last*next/between {
			next++
			grams = append(grams, gram)
		}
		n++
	}
	return grams, false
}

// matchGrams finds documents by their grams. For a term that its grams do not
// prove the folded columns of the user are asked too; of implied phrases that
// is the filter's business.
func matchGrams(a *args, _ int64, terms, implied []string) (match, tests string) {
	var grams, doubtful []string
	for i, phrase := range slices.Concat(terms, implied) {
		some, exact := gramsOf(phrase)
		grams = append(grams, some...)
		if !exact && i < len(terms) {
			doubtful = append(doubtful, phrase)
		}
	}
	return matchAll(a, grams), containsAll(a, doubtful)
}

// matchFirstGrams is matchGrams by one gram of each term.
func matchFirstGrams(a *args, terms []string) (match, tests string) {
	var grams, doubtful []string
	for _, phrase := range terms {
		some, exact := gramsOf(phrase)
		grams = append(grams, some[0])
		if !exact {
			doubtful = append(doubtful, phrase)
		}
	}
	return matchAll(a, grams), containsAll(a, doubtful)
}

// matchAll is the condition that a user has all grams.
func matchAll(a *args, grams []string) string {
	slices.Sort(grams)
	var query []byte
	for i, gram := range slices.Compact(grams) {
		if i > 0 {
			query = append(query, " AND "...)
		}
		query = append(appendToken(append(query, '"'), gram), '"')
	}
	return "s.user_search MATCH " + a.add(string(query))
}

// containsAll tests the lines of a search document, which are columns of the
// user, for each phrase.
func containsAll(a *args, phrases []string) string {
	var tests strings.Builder
	for _, phrase := range phrases {
		p := a.add(phrase)
		tests.WriteString(" AND (instr(u.given_name_key, " + p + ") > 0 OR instr(u.family_name_key, " + p + ") > 0 OR instr(u.user_name_key, " + p +
			") > 0 OR instr(u.email_key, " + p + ") > 0)")
	}
	return tests.String()
}

func indexGrams(ctx context.Context, q querier, rid, _ int64, document string) error {
	_, err := q.exec(ctx, "INSERT OR REPLACE INTO user_search (rowid, grams) VALUES ($1, $2)", rid, gramDocument(document))
	return err
}

// addGrams is indexGrams of many users whose grams are made already, and for whom
// FTS5 need not look for what is replaced.
func addGrams(ctx context.Context, q querier, rids []int64, documents func(rid int64) searchChange) error {
	for _, rid := range rids {
		_, err := q.exec(ctx, "INSERT INTO user_search (rowid, grams) VALUES ($1, $2)", rid, documents(rid).tokens)
		if err != nil {
			return err
		}
	}
	return nil
}

func dropGrams(ctx context.Context, q querier, rid int64) error {
	_, err := q.exec(ctx, "DELETE FROM user_search WHERE rowid = $1", rid)
	return err
}
