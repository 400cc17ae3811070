package directory

import (
	"context"
	"errors"
	"strconv"
)

// placeGroup puts a group, new or not, below the one with an id; "" puts it
// below none. The tenant's row is locked, so that no two moves make a circle.
func placeGroup(ctx context.Context, tx Tx, g *Group, parentID string) error {
	if parentID == "" {
		g.Parent = 0
		return nil
	}
	parent, err := groupOf(ctx, tx, g.Tenant, GroupRef{ID: parentID, Kind: g.Kind})
	if IsReason(err, ReasonGroupNotFound) {
		return Invalid("parent", ReasonGroupNotFound, "There is no group %q.", parentID)
	}
	if err != nil || parent.Number == g.Parent {
		return err
	}
	depth := 1
	for above := parent; ; depth++ {
		if above.Number == g.Number || depth > MaxDepth {
			return Invalid("parent", ReasonGroupNested, "The parent is the group itself or below it, or too deep.")
		}
		if above.Parent == 0 {
			break
		}
		if above, err = tx.Group(ctx, g.Tenant, above.Parent); err != nil {
			return err
		}
	}
	height, err := groupHeight(ctx, tx, g, MaxDepth-depth)
	if err != nil {
		return err
	}
	if depth+height > MaxDepth {
		return Invalid("parent", ReasonGroupNested, "Groups can be at most %d deep.", MaxDepth)
	}
	g.Parent = parent.Number
	return nil
}

// groupHeight is the number of levels of the tree from a group down, itself
// included; it looks no further than one level below most.
func groupHeight(ctx context.Context, r Reader, g *Group, most int) (int, error) {
	if g.Number == 0 {
		return 1, nil
	}
	level, height, seen := []int64{g.Number}, 0, 0
	for len(level) > 0 && height <= most {
		height++
		var below []int64
		for _, number := range level {
			children, err := r.Groups(ctx, g.Tenant, GroupSelection{Kind: g.Kind, Parent: Some(number), Limit: MaxLimit})
			if err != nil {
				return 0, err
			}
			for _, child := range children {
				below = append(below, child.Number)
			}
		}
		if seen += len(below); seen >= MaxLimit {
			return 0, Invalid("parent", ReasonGroupNested, "A group with %d groups below it cannot be moved.", MaxLimit)
		}
		level = below
	}
	return height, nil
}

// groupKeyFree refuses a key that another group of the kind has.
func groupKeyFree(ctx context.Context, r Reader, g *Group) error {
	held, err := r.GroupByKey(ctx, g.Tenant, g.Kind, g.Key)
	if errors.Is(err, ErrNotFound) || err == nil && held.Number == g.Number && g.Number != 0 {
		return nil
	}
	if err != nil {
		return err
	}
	field := "name"
	if g.Kind == GroupServiceTeam { // whose name may be another's
		field = "key"
	}
	message := "There is a group " + strconv.Quote(g.Key) + " already."
	return &Error{Code: CodeConflict, Reason: ReasonGroupTaken, Message: message,
		Fields: []FieldError{{Field: field, Reason: ReasonGroupTaken, Message: message}}}
}

// numberText is a number in an event; "" for none.
func numberText(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
