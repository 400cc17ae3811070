package directory

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// What an import notes of the users and keys that its rows were about, in one table of
// numbers for each run: a user by number when a row was done about it; by its number's
// negative when a row named it and was refused, so that DeactivateMissing lets it be;
// and, in a dry run, which makes nobody who could be found again, a key by importMark.

// maxMade is how many ranges of numbers a run keeps; those of more users are noted one
// by one.
const maxMade = 200

// noteMade notes the numbers of users that were made together, from and to, if that
// can be done with few ranges.
func (m *ImportMarks) noteMade(from, to int64) {
	last := len(m.Made) - 1
	switch {
	case last >= 0 && m.Made[last][1]+1 == from:
		m.Made = slices.Clone(m.Made) // the run as it was read stays as it is
		m.Made[last][1] = to
	case len(m.Made) < maxMade:
		m.Made = append(slices.Clip(m.Made), [2]int64{from, to})
	}
}

// hasMade reports whether the run made a user of a number together with others.
func (m *ImportMarks) hasMade(number int64) bool {
	return slices.ContainsFunc(m.Made, func(r [2]int64) bool { return r[0] <= number && number <= r[1] })
}

// importMark is a number for a key that no two rows of a run may have, below every
// number's negative. Of three million keys two have the same with a probability of one
// in a million.
func importMark(claim rowClaim) int64 {
	text := make([]byte, 8, 96)
	binary.BigEndian.PutUint64(text, uint64(claim.number))
	for _, part := range [...]string{string(claim.handle.Space), claim.handle.Key, claim.id} {
		text = append(binary.AppendUvarint(text, uint64(len(part))), part...)
	}
	sum := sha256.Sum256(text)
	return -int64(binary.BigEndian.Uint64(sum[:])>>2) - 1<<33
}

// marks appends those of a row's keys.
func (row *importRow) marks(list []int64, u *User) []int64 {
	for i := range row.own {
		if key := &row.own[i]; row.claims(key, u) {
			list = append(list, importMark(key.claim()))
		}
	}
	return list
}

// readSeen reads which of the page's users and keys rows of earlier pages had.
func (p *importPage) readSeen(ctx context.Context) error {
	var wanted []int64
	for i := range p.decisions {
		if d := &p.decisions[i]; d.user != nil {
			wanted = append(wanted, d.user.Number)
		}
		if p.run.DryRun {
			wanted = p.plan.rows[i].marks(wanted, p.decisions[i].user)
		}
	}
	p.seen = map[int64]bool{}
	if len(wanted) == 0 || p.run.Done == 0 {
		return nil
	}
	slices.Sort(wanted)
	seen, err := p.tx.SeenRows(ctx, p.run.Tenant, p.run.ID, slices.Compact(wanted))
	for _, n := range seen {
		p.seen[n] = true
	}
	return err
}

// seenBefore is the member by which a row is about what a row of an earlier page was
// about; "" for none.
func (p *importPage) seenBefore(at int) string {
	d, row := &p.decisions[at], p.plan.rows[at]
	if d.user != nil && (p.seen[d.user.Number] || p.made.hasMade(d.user.Number)) {
		return d.by
	}
	if p.run.DryRun && len(p.seen) > 0 {
		for i := range row.own {
			if key := &row.own[i]; row.claims(key, d.user) && p.seen[importMark(key.claim())] {
				return key.member
			}
		}
	}
	return ""
}

// noteSeen notes what the rows of the page were about.
func (p *importPage) noteSeen(ctx context.Context) error {
	notes := make([]int64, 0, len(p.verdicts))
	for i := range p.verdicts {
		v, d := &p.verdicts[i], &p.decisions[i]
		if !v.done() {
			for _, n := range d.mention {
				notes = append(notes, -n)
			}
			continue
		}
		if v.User != 0 && !(v.Verdict == RowCreate && (p.run.DryRun || p.run.Marks.hasMade(v.User))) {
			notes = append(notes, v.User)
		}
		if p.run.DryRun {
			notes = p.plan.rows[i].marks(notes, d.user)
		}
	}
	if len(notes) == 0 {
		return nil
	}
	slices.Sort(notes)
	return p.tx.NoteSeen(ctx, p.run.Tenant, p.run.ID, slices.Compact(notes))
}
